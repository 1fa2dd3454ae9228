import { Console, Effect } from "effect"
import { Reference } from "effect-oci"

export const description = "a reference and its parts"

export const program = (text = "node:22") =>
  Effect.gen(function* () {
    const reference = yield* Reference.parse(text)
    yield* Console.log(`whole: ${Reference.format(reference)}`)
    yield* Console.log(`short: ${Reference.familiar(reference)}`)
    yield* Console.log(`tag: ${reference.tag ?? "none"}`)
    yield* Console.log(`digest: ${reference.digest ?? "none"}`)
    yield* Console.log(`what a request asks for: ${reference.target}`)
  })
