import { Console, Stream } from "effect"
import { type Reference, Tags } from "effect-oci"

export const description = "end-8: all tags; pages are fetched as they are wanted"

export const program = ({ repository }: Reference.Reference) =>
  Tags.stream(repository, { n: 2 }).pipe(
    Stream.take(10), // no request is made for what lies behind
    Stream.runForEach((tag) => Console.log(tag))
  )
