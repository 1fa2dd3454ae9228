import { Console, Effect } from "effect"
import { Platform } from "effect-oci"

export const description = "a platform, and what it can run"

export const program = (text = "linux/aarch64") =>
  Effect.gen(function* () {
    const platform = yield* Platform.parse(text)
    yield* Console.log(`platform: ${Platform.format(platform)}`)
    for (const other of ["linux/amd64", "linux/arm64/v8", "windows/amd64"]) {
      const available = yield* Platform.parse(other)
      yield* Console.log(`runs images for ${other}: ${Platform.matches(platform, available)}`)
    }
  })
