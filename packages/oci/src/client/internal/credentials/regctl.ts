import * as Either from "effect/Either"
import { isRecord } from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import type { Credential } from "../../Credentials.js"
import * as Document from "./document.js"

/** The credential of a host: a token there is one that the registry's token service takes. */
const credential = (host: Readonly<Record<string, unknown>>): Credential | undefined => {
  const token = Document.field(host, "token")
  if (token !== "") return { _tag: "IdentityToken", token: Redacted.make(token) }
  return Document.basic(Document.field(host, "user"), Document.field(host, "pass"))
}

/** Reads regctl's own file, which names programs in full where Docker's has only the end of their names. */
export const read = (text: string): Either.Either<Document.Document, Document.Fault> =>
  Either.gen(function* () {
    const all = (yield* Document.entries(yield* Document.object(text), "hosts")).flatMap(([name, host]) =>
      isRecord(host) ? [[name, host] as const] : []
    )
    return {
      ...Document.empty,
      auths: Document.byKey(
        all.flatMap(([name, host]) => {
          const found = credential(host)
          return found === undefined ? [] : [[name, found] as const]
        })
      ),
      helpers: Document.byKey(
        all.flatMap(([name, host]) => {
          const program = Document.field(host, "credHelper")
          return program === "" ? [] : [[name, program] as const]
        })
      )
    }
  })
