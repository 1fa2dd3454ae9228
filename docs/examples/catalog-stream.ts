import { Console, Stream } from "effect"
import { Catalog, type Reference } from "effect-oci"

export const description = "all repositories of a registry; pages are fetched as they are wanted"

export const program = ({ registry }: Reference.Reference) =>
  Catalog.stream(registry, { n: 1 }).pipe(
    Stream.take(10), // no request is made for what lies behind
    Stream.runForEach((name) => Console.log(name))
  )
