import * as Config from "effect/Config"
import * as Effect from "effect/Effect"

/** A variable of the environment, by the `ConfigProvider` in place; an empty one counts as none. */
export const variable = (name: string): Effect.Effect<string | undefined> =>
  Config.string(name).pipe(
    Effect.map((value) => (value === "" ? undefined : value)),
    Effect.orElseSucceed(() => undefined)
  )

/** The user's home directory. */
export const home: Effect.Effect<string | undefined> = Effect.flatMap(variable("HOME"), (home) =>
  home === undefined ? variable("USERPROFILE") : Effect.succeed(home)
)
