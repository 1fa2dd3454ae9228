import { Console, Effect } from "effect"
import { Catalog, type Reference } from "effect-oci"

export const description = "the repositories of a registry, a page at a time, where it tells them"

export const program = ({ registry }: Reference.Reference) =>
  Effect.gen(function* () {
    const { hasNext, repositories } = yield* Catalog.list(registry, { n: 1 })
    yield* Console.log(`first page: ${repositories.join(", ")}`)
    yield* Console.log(hasNext ? "there are more" : "there are no more")
  })
