import type { Tag } from "effect-oci/Reference"

const isUpper = (character: string): boolean => character >= "A" && character <= "Z"

/**
 * The file of a tag: `v1.0`, or in lower case with a bit for each capital behind a plus, `rc1+6` for `RC1`, since not every
 * file system tells `RC1` from `rc1`.
 */
export const of = (tag: Tag): string => {
  const capitals = Array.from(tag, (character) => (isUpper(character) ? "1" : "0")).join("")
  return capitals.includes("1") ? `${tag.toLowerCase()}+${BigInt(`0b${capitals}`).toString(16)}` : tag
}

/** The tag of a file that has one of these names. */
export const tag = (file: string): Tag => {
  const [lower = "", bits] = file.split("+")
  if (bits === undefined || !/^[0-9a-f]{1,32}$/.test(bits)) return file
  const capitals = BigInt(`0x${bits}`).toString(2).padStart(lower.length, "0")
  return Array.from(lower, (character, at) => (capitals[at] === "1" ? character.toUpperCase() : character)).join("")
}
