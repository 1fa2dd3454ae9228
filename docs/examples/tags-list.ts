import { Console, Effect } from "effect"
import { type Reference, Tags } from "effect-oci"

export const description = "end-8: tags, a page at a time"

export const program = ({ repository }: Reference.Reference) =>
  Effect.gen(function* () {
    const { hasNext, tags } = yield* Tags.list(repository, { n: 2 })
    yield* Console.log(`first page: ${tags.join(", ")}`)
    if (hasNext) {
      const next = yield* Tags.list(repository, { n: 2, last: tags.at(-1) })
      yield* Console.log(`next page: ${next.tags.join(", ")}`)
    }
  })
