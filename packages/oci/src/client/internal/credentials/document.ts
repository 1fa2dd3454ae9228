import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import { isRecord, isString } from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import type { Credential } from "../../Credentials.js"
import * as Keys from "./keys.js"

/** What a file of Docker's shape says, as far as it concerns credentials. */
export interface Document {
  readonly auths: ReadonlyMap<Keys.Key, Credential>
  /** The helper's program for a host; an empty one means that the file itself is asked, whatever the store. */
  readonly helpers: ReadonlyMap<Keys.Key, string>
  /** The helper's program for all other hosts. */
  readonly store: string | undefined
  readonly headers: Readonly<Record<string, Redacted.Redacted>>
  /** The keys whose entries cannot be used. */
  readonly ignored: ReadonlyArray<string>
}

export const empty: Document = { auths: new Map(), helpers: new Map(), store: undefined, headers: {}, ignored: [] }

/** A file that is not what it should be. What is in it is not shown: it may be a secret. */
export type Fault = string

const parse = (text: string): Either.Either<unknown, Fault> =>
  Either.try({ try: (): unknown => JSON.parse(text), catch: () => "it is not JSON" })

/** The object that a file holds. An empty file holds none, a byte order mark says nothing. */
export const object = (text: string): Either.Either<Readonly<Record<string, unknown>>, Fault> => {
  const json = text.replace(/^\uFEFF/, "")
  if (json.trim() === "") return Either.right({})
  return Either.flatMap(parse(json), (value) =>
    isRecord(value) ? Either.right(value) : Either.left("it holds no JSON object")
  )
}

/** A field that is an object; absent and null ones are empty. */
export const entries = (
  document: Readonly<Record<string, unknown>>,
  field: string
): Either.Either<ReadonlyArray<readonly [key: string, value: unknown]>, Fault> => {
  const value = Object.hasOwn(document, field) ? document[field] : undefined
  if (value === undefined || value === null) return Either.right([])
  return isRecord(value) ? Either.right(Object.entries(value)) : Either.left(`its "${field}" is no object`)
}

/** Some writers leave a line's end or NULs behind the password. */
const withoutTail = (text: string): string => {
  let end = text.length
  while (end > 0 && "\0\r\n".includes(text.charAt(end - 1))) end--
  return text.slice(0, end)
}

/** User name and password of `auth`, which is base64 with or without its padding, of UTF-8, cut at the first colon. */
const decode = (auth: string): readonly [username: string, password: string] | undefined => {
  const letters = auth.replace(/[\s=]/g, "").replace(/-/g, "+").replace(/_/g, "/")
  const bytes = Encoding.decodeBase64(letters.padEnd(Math.ceil(letters.length / 4) * 4, "="))
  if (Either.isLeft(bytes)) return undefined
  const text = Either.try(() => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.right))
  if (Either.isLeft(text)) return undefined
  const colon = text.right.indexOf(":")
  return colon === -1 ? undefined : [text.right.slice(0, colon), withoutTail(text.right.slice(colon + 1))]
}

export const basic = (username: string, password: string): Credential | undefined =>
  username === "" && password === "" ? undefined : { _tag: "Basic", username, password: Redacted.make(password) }

export const field = (entry: Readonly<Record<string, unknown>>, name: string): string => {
  const value = Object.hasOwn(entry, name) ? entry[name] : undefined
  return isString(value) ? value : ""
}

/** The credential of an entry: none in an empty one, and `undefined` for one that cannot be read. */
const credential = (entry: Readonly<Record<string, unknown>>): Credential | "none" | undefined => {
  const token = withoutTail(field(entry, "registrytoken"))
  if (token !== "") return { _tag: "Token", token: Redacted.make(token) }
  const identity = withoutTail(field(entry, "identitytoken"))
  if (identity !== "") return { _tag: "IdentityToken", token: Redacted.make(identity) }
  const auth = field(entry, "auth")
  if (auth === "") return basic(field(entry, "username"), field(entry, "password")) ?? "none"
  const decoded = decode(auth)
  return decoded === undefined ? undefined : (basic(...decoded) ?? "none")
}

/** These say how a message travels or who asks, and so are not a file's to set for all registries. */
const reserved = new Set([
  "authorization",
  "connection",
  "cookie",
  "expect",
  "host",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade"
])

const header = ([text, value]: readonly [string, unknown]): ReadonlyArray<readonly [string, Redacted.Redacted]> => {
  const name = text.toLowerCase()
  return isString(value) &&
    /^[!#$%&'*+.^`|~0-9a-z-]+$/.test(name) &&
    !reserved.has(name) &&
    !name.startsWith("content-")
    ? [[name, Redacted.make(value)]]
    : []
}

/** How good a key is for a host that several keys name: Docker's own spelling, then the bare one, then the rest in order. */
const rank = (text: string, key: Keys.Key): number => {
  const spellings =
    key === "docker.io" ? ["https://index.docker.io/v1/", "index.docker.io", key] : [key, `https://${key}`]
  const at = spellings.indexOf(text)
  return at === -1 ? spellings.length : at
}

export const byKey = <A>(all: ReadonlyArray<readonly [text: string, value: A]>): ReadonlyMap<Keys.Key, A> => {
  const best = new Map<Keys.Key, { readonly rank: number; readonly value: A }>()
  for (const [text, value] of all) {
    const key = Keys.fromFile(text)
    if (key === undefined) continue
    const known = best.get(key)
    if (known === undefined || rank(text, key) < known.rank) best.set(key, { rank: rank(text, key), value })
  }
  return new Map([...best].map(([key, { value }]) => [key, value]))
}

const program = (name: string): string => (name === "" ? "" : `docker-credential-${name}`)

const helpers = (
  all: ReadonlyArray<readonly [text: string, value: unknown]>
): Either.Either<ReadonlyArray<readonly [text: string, name: string]>, Fault> => {
  const named = all.flatMap(([text, value]) => (isString(value) ? [[text, program(value)] as const] : []))
  return named.length === all.length ? Either.right(named) : Either.left(`its "credHelpers" are not all names`)
}

/** Reads a file of Docker's or Podman's. Only own properties count, so that no key finds what every object has. */
export const read = (text: string): Either.Either<Document, Fault> =>
  Either.gen(function* () {
    const document = yield* object(text)
    const auths: Array<readonly [string, Credential]> = []
    const ignored: Array<string> = []
    for (const [key, entry] of yield* entries(document, "auths")) {
      const found = isRecord(entry) ? credential(entry) : undefined
      if (found === undefined) ignored.push(key)
      else if (found !== "none") auths.push([key, found])
    }
    return {
      auths: byKey(auths),
      helpers: byKey(yield* helpers(yield* entries(document, "credHelpers"))),
      store: program(field(document, "credsStore")) || undefined,
      headers: Object.fromEntries((yield* entries(document, "HttpHeaders")).flatMap(header)),
      ignored
    }
  })

const secrets = new Set(["auth", "username", "password", "identitytoken", "registrytoken"])

/** Other tools read an entry only when it has an `auth`; the name in front is what helpers call a token's user. */
const encode = (credential: Credential): Readonly<Record<string, string>> => {
  switch (credential._tag) {
    case "Basic":
      return { auth: Encoding.encodeBase64(`${credential.username}:${Redacted.value(credential.password)}`) }
    case "IdentityToken":
      return { auth: Encoding.encodeBase64("<token>:"), identitytoken: Redacted.value(credential.token) }
    case "Token":
      return { registrytoken: Redacted.value(credential.token) }
  }
}

/** The same document with another credential for some hosts, under one name, or with none. All else is kept. */
export const withCredential = (
  document: Readonly<Record<string, unknown>>,
  hosts: ReadonlyArray<Keys.Key>,
  name: string,
  credential: Credential | undefined
): Either.Either<Readonly<Record<string, unknown>>, Fault> =>
  Either.map(entries(document, "auths"), (all) => {
    const isTheirs = ([key]: readonly [key: string, entry: unknown]) => hosts.includes(Keys.fromFile(key) ?? "")
    const rest = all.filter((one) => !isTheirs(one))
    if (credential === undefined) {
      return rest.length === all.length ? document : { ...document, auths: Object.fromEntries(rest) }
    }
    const before = all.filter(isTheirs).flatMap(([, entry]) => (isRecord(entry) ? Object.entries(entry) : []))
    const kept = Object.fromEntries(before.filter(([key]) => !secrets.has(key)))
    return { ...document, auths: Object.fromEntries([...rest, [name, { ...kept, ...encode(credential) }]]) }
  })
