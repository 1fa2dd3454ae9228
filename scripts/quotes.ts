/**
 * Code in documents is quoted from files that are compiled and run. A line `<!-- quoted from docs/examples/x.ts -->`
 * stands before the block that quotes the whole file, `x.ts#name` before one that quotes what lies between
 * `// #region name` and `// #endregion`. Says which blocks differ; with `--write` it writes them.
 */
import * as fs from "node:fs"
import * as path from "node:path"

const root = path.resolve(import.meta.dirname, "..")
const isMarker = (line: string): boolean => /^\s*\/\/ #(end)?region\b/.test(line)

/** The lines of a file, or of one of its regions, without the indentation that they share. */
const quoted = (file: string, region: string | undefined): ReadonlyArray<string> | undefined => {
  if (!fs.existsSync(path.join(root, file))) return undefined
  const all = fs.readFileSync(path.join(root, file), "utf8").trimEnd().split("\n")
  const from = region === undefined ? 0 : all.findIndex((line) => line.trim() === `// #region ${region}`) + 1
  if (region !== undefined && from === 0) return undefined
  const end = region === undefined ? -1 : all.findIndex((line, at) => at >= from && line.trim() === "// #endregion")
  const lines = all.slice(from, end === -1 ? undefined : end).filter((line) => !isMarker(line))
  const indent = Math.min(...lines.filter((line) => line !== "").map((line) => line.length - line.trimStart().length))
  return lines.map((line) => line.slice(indent))
}

interface Result {
  readonly text: string
  readonly quotes: number
  /** What is wrong, with the line it stands in. */
  readonly problems: ReadonlyArray<string>
}

/** A document with its blocks as they should be. */
const updated = (document: string): Result => {
  const lines = document.split("\n")
  const text: Array<string> = []
  const problems: Array<string> = []
  let quotes = 0
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? ""
    text.push(line)
    const [, file, region] = /^<!-- quoted from ([^\s#]+)(?:#(\S+))? -->$/.exec(line) ?? []
    if (file === undefined) continue
    quotes++
    const source = quoted(file, region)
    const open = lines[at + 1] ?? ""
    const close = lines.indexOf("```", at + 2)
    if (source === undefined || !open.startsWith("```") || close === -1) {
      problems.push(`${at + 1}: ${source === undefined ? "no such file or region" : "no block follows"}`)
      continue
    }
    if (lines.slice(at + 2, close).join("\n") !== source.join("\n")) problems.push(`${at + 1}: the block differs`)
    text.push(open, ...source, "```")
    at = close
  }
  return { text: text.join("\n"), quotes, problems }
}

const documentsIn = (folder: string, recursive: boolean): ReadonlyArray<string> =>
  fs
    .readdirSync(path.join(root, folder), { recursive, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => path.join(folder, file))

const documents = [
  ...documentsIn(".", false),
  ...documentsIn("docs", true),
  ...fs.readdirSync(path.join(root, "packages")).flatMap((name) => documentsIn(path.join("packages", name), false))
]

let quotes = 0
for (const file of documents) {
  const before = fs.readFileSync(path.join(root, file), "utf8")
  const result = updated(before)
  quotes += result.quotes
  const writes = process.argv.includes("--write") && result.text !== before
  if (writes) fs.writeFileSync(path.join(root, file), result.text)
  for (const problem of result.problems) {
    const settled = writes && problem.endsWith("differs")
    console.log(`${file}:${problem}${settled ? ", written" : ""}`)
    if (!settled) process.exitCode = 1
  }
}
console.log(process.exitCode === 1 ? "blocks are written by: npx tsx scripts/quotes.ts --write" : `${quotes} quotes`)
