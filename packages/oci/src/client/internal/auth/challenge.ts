import * as ListHeader from "../listHeader.js"

/** One way that a server offers to sign in. */
export interface Challenge {
  /** In lower case. */
  readonly scheme: string
  /** By name in lower case; of two with the same name the first counts. */
  readonly parameters: ReadonlyMap<string, string>
}

/** Longer headers are nobody's challenge. */
const longest = 16_384

/** What a list's part begins with: a scheme, or the name of a parameter when a `=` follows. */
const beginning = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*(=?)/

/** A token as it is, or a quoted string without its quotes and backslashes. */
const unquoted = (text: string): string => {
  const value = text.trim()
  if (!value.startsWith('"')) return value
  const end = value.length > 1 && value.endsWith('"') ? -1 : undefined
  return value.slice(1, end).replace(/\\(.)/gs, "$1")
}

/**
 * The challenges of a `WWW-Authenticate`, however many headers it was, in their order. It is as lenient as servers are
 * sloppy, and leaves out what is neither a scheme nor a parameter.
 */
export const parse = (header: string): ReadonlyArray<Challenge> => {
  if (header.length > longest) return []
  const all: Array<{ scheme: string; parameters: Map<string, string> }> = []
  const take = (text: string) => {
    const [whole = "", name = "", equals] = beginning.exec(text) ?? []
    const value = text.slice(whole.length)
    // what ends like `abc==` is a token68, which has no name
    if (equals !== "=" || /^=*$/.test(value)) return false
    const parameters = all.at(-1)?.parameters
    const key = name.toLowerCase()
    if (parameters?.has(key) === false) parameters.set(key, unquoted(value))
    return true
  }
  for (const part of ListHeader.split(header.replace(/[\r\n]/g, " "))) {
    if (take(part)) continue
    const [whole, name, equals] = beginning.exec(part) ?? []
    if (whole === undefined || name === undefined || equals === "=") continue
    all.push({ scheme: name.toLowerCase(), parameters: new Map() })
    take(part.slice(whole.length))
  }
  return all
}

/** Where a `Bearer` challenge sends us, or why it cannot be answered. */
export const fault = ({ parameters }: Challenge): string | undefined => {
  const realm = parameters.get("realm") ?? ""
  if (realm === "") return "it names no realm"
  if (realm.startsWith("/")) return undefined
  if (!URL.canParse(realm)) return "its realm is no URL"
  return /^[^.]*\.$/.test(new URL(realm).hostname) ? "its realm has half a host" : undefined
}
