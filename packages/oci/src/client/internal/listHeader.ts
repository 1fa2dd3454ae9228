/**
 * Splits a header that is a list at its commas, or parameters at their semicolons, but for those in quotes and angle
 * brackets. HTTP clients join repeated headers with commas, so every header that may be repeated is read through this.
 */
export const split = (header: string, separator: "," | ";" = ","): ReadonlyArray<string> => {
  const parts: Array<string> = []
  let from = 0
  let quoted = false
  let bracketed = false
  for (let at = 0; at < header.length; at++) {
    const char = header[at]
    if (quoted && char === "\\") at++
    else if (char === '"') quoted = !quoted
    else if (char === "<" && !quoted) bracketed = true
    else if (char === ">" && !quoted) bracketed = false
    else if (char === separator && !quoted && !bracketed) {
      parts.push(header.slice(from, at))
      from = at + 1
    }
  }
  parts.push(header.slice(from))
  return parts.map((part) => part.trim()).filter((part) => part !== "")
}

/** The schemes of a `WWW-Authenticate`, in their order: each challenge begins with one, its parameters hold a `=`. */
export const schemes = (header: string): ReadonlyArray<string> =>
  split(header).flatMap((part) => {
    const [first = "", second] = part.split(/[ \t]+/, 2)
    const starts = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(first) && !(second ?? "").startsWith("=")
    return starts ? [first] : []
  })
