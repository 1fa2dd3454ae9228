/** How far an address reaches. Requests of a server's making do not go where the server itself is not. */
export type Reach = "public" | "private" | "link-local" | "loopback"

const v4 = (parts: ReadonlyArray<number>): Reach => {
  const [a = 0, b = 0] = parts
  if (a === 127 || a === 0) return "loopback"
  if (a === 169 && b === 254) return "link-local"
  if (a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168)) return "private"
  // carrier-grade NAT, where one cloud keeps its metadata service
  if (a === 100 && b >= 64 && b < 128) return "private"
  return "public"
}

/** The eight groups of an IPv6 address as a URL writes it: lower case, compressed, no dotted part. */
const groups = (text: string): ReadonlyArray<number> => {
  const [head = "", tail] = text.split("::")
  const parse = (part: string) => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)))
  const [left, right] = [parse(head), parse(tail ?? "")]
  const missing = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  return [...left, ...Array.from({ length: missing }, () => 0), ...right]
}

const v6 = (text: string): Reach => {
  const all = groups(text)
  const [first = 0, , , , , sixth = 0, seventh = 0, eighth = 0] = all
  if (all.slice(0, 5).every((group) => group === 0)) {
    if (sixth === 0 && seventh === 0 && eighth < 2) return "loopback"
    if (sixth === 0xffff || sixth === 0) return v4([seventh >> 8, seventh & 255])
  }
  // addresses of the NAT64 prefix hold an IPv4 address as well
  if (first === 0x64 && all[1] === 0xff9b) return v4([seventh >> 8, seventh & 255])
  if ((first & 0xffc0) === 0xfe80) return "link-local"
  if ((first & 0xfe00) === 0xfc00) return "private"
  return "public"
}

/**
 * The reach of a URL's `hostname`. URLs write every form of an IPv4 address (octal, hexadecimal, one number) as four
 * decimals. A name counts as public, except those that never are.
 */
export const reach = (hostname: string): Reach => {
  if (hostname.startsWith("[")) return v6(hostname.slice(1, -1))
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(hostname)) return v4(hostname.split(".").map(Number))
  const name = hostname.replace(/\.$/, "")
  if (name === "localhost" || name.endsWith(".localhost")) return "loopback"
  if (name === "metadata.google.internal") return "link-local"
  return "public"
}
