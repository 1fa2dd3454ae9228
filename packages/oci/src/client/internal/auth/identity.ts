import * as Encoding from "effect/Encoding"
import type * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Credential } from "../../Credentials.js"

/** Whose request it is. The number tells credentials apart without a word of them. */
export interface Identity {
  readonly id: number
  readonly credential: Credential | undefined
  /** The `Authorization` that sends the credential as it is. An identity token is for token services only. */
  readonly header: Redacted.Redacted | undefined
  /** Why it cannot be sent. */
  readonly fault: string | undefined
  /** When its source was asked anew, and what it gave. */
  renewed: { readonly at: number; readonly to: Identity } | undefined
}

/** The `Authorization` that sends a credential as it is. */
export const header = (credential: Credential): string =>
  credential._tag === "Basic"
    ? `Basic ${Encoding.encodeBase64(`${credential.username}:${Redacted.value(credential.password)}`)}`
    : `Bearer ${Redacted.value(credential.token)}`

/** Visible ASCII: what a token is made of, whoever gave it. */
export const isToken = (text: string): boolean => /^[\x21-\x7e]+$/.test(text)

/** What is wrong with a credential, if anything: no header carries control characters, and no user name a colon. */
export const fault = (credential: Credential): string | undefined => {
  const hidden = /\p{Cc}/u
  if (credential._tag !== "Basic") {
    return isToken(Redacted.value(credential.token)) ? undefined : "the token is not printable ASCII"
  }
  if (hidden.test(credential.username) || hidden.test(Redacted.value(credential.password))) {
    return "user name or password holds control characters"
  }
  return credential.username.includes(":") ? "the user name holds a colon" : undefined
}

const secret = (credential: Credential): Redacted.Redacted =>
  credential._tag === "Basic" ? credential.password : credential.token

const same = (one: Credential, other: Credential): boolean =>
  one._tag === other._tag &&
  Redacted.value(secret(one)) === Redacted.value(secret(other)) &&
  (one._tag !== "Basic" || other._tag !== "Basic" || one.username === other.username)

const nobody: Identity = { id: 0, credential: undefined, header: undefined, fault: undefined, renewed: undefined }

/** How many credentials one client tells apart; beyond, the oldest is a stranger again. */
const most = 256

/** Tells credentials apart by their value, without which a source that makes them anew each time would be many. */
export const make = (): ((found: Option.Option<Credential>) => Identity) => {
  const byObject = new WeakMap<Credential, Identity>()
  const all: Array<Identity> = []
  let last = 0
  return (found) => {
    if (found._tag === "None") return nobody
    const { value } = found
    const seen = byObject.get(value)
    if (seen !== undefined) return seen
    const known = all.find(({ credential }) => credential !== undefined && same(credential, value))
    const wrong = fault(value)
    const identity = known ?? {
      id: ++last,
      credential: value,
      header: value._tag === "IdentityToken" || wrong !== undefined ? undefined : Redacted.make(header(value)),
      fault: wrong,
      renewed: undefined
    }
    if (known === undefined && all.push(identity) > most) all.shift()
    byObject.set(value, identity)
    return identity
  }
}
