import { stripVTControlCharacters, styleText } from "node:util"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/** Where the story is told. A plain place by default: a pipe, a file, a test. */
export class Page extends Context.Reference<Page>()("docs/demo/Page", {
  defaultValue: (): { readonly isTerminal: boolean; readonly overwrite: (line: string) => Effect.Effect<void> } => ({
    isTerminal: false,
    overwrite: () => Effect.void
  })
}) {}

/** Standard output: in colours and with a line that moves when it is a terminal, and NO_COLOR is not set. */
export const stdout: Page["Type"] = {
  isTerminal: process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== "dumb",
  overwrite: (line) => Effect.sync(() => void process.stdout.write(`\r\u001b[K${line}`))
}

// whether there are colours is decided where a line is printed
const style =
  (format: "bold" | "cyan" | "dim" | "green" | "yellow") =>
  (text: string): string =>
    styleText(format, text, { validateStream: false })

const strong = style("bold")
const label = style("cyan")
export const faint = style("dim")
export const good = style("green")
export const wrong = style("yellow")

/** Text that a registry sent, without what a terminal would obey. */
export const foreign = (text: string): string => text.replace(/\p{Cc}/gu, " ")

/** `sha256:1f2e3d4c5b6a`: enough to tell digests apart. */
export const short = (digest: string): string => faint(digest.slice(0, digest.indexOf(":") + 13))

/** `532 B`, `48.1 kB`, `1.2 GB`. */
export const size = (bytes: number): string => {
  const units = ["B", "kB", "MB", "GB"]
  const step = Math.min(Math.max(Math.floor(Math.log10(bytes) / 3), 0), units.length - 1)
  return `${(bytes / 1000 ** step).toFixed(step === 0 ? 0 : 1)} ${units[step]}`
}

const indent = 11
const width = 90

/** Breaks at spaces; a style that spans the break goes on behind it. */
const wrap = (text: string): string => {
  let [all, used] = ["", 0]
  for (const word of text.split(" ")) {
    const length = stripVTControlCharacters(word).length
    const breaks = used > 0 && indent + used + 1 + length > width
    all += breaks ? `\n${" ".repeat(indent)}${word}` : `${used > 0 ? " " : ""}${word}`
    used = breaks ? length : used + (used > 0 ? 1 : 0) + length
  }
  return all
}

const column = (verb: string): string => (verb === "" ? "" : label(verb)) + " ".repeat(indent - verb.length)

/** One line of the story: what is done, and what came of it. Lines that go on have no verb. */
export const say = (verb: string, text: string): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { isTerminal, overwrite } = yield* Page
    const line = `${column(verb)}${wrap(text)}`
    if (isTerminal) yield* overwrite("")
    yield* Console.log(isTerminal ? line : stripVTControlCharacters(line))
  })

/** A line for the whole width, with space around. */
export const title = (text: string): Effect.Effect<void> =>
  Effect.flatMap(Page, ({ isTerminal }) => Console.log(`\n${isTerminal ? strong(text) : text}\n`))

/** Shows how far something has come; on a terminal only, where the next line takes its place. */
export const progress = (verb: string, done: number, total: number): Effect.Effect<void> =>
  Effect.flatMap(Page, ({ isTerminal, overwrite }) => {
    const full = Math.round((20 * done) / Math.max(total, 1))
    const bar = `${"━".repeat(full)}${faint("━".repeat(20 - full))}`
    return isTerminal ? overwrite(`${column(verb)}${bar} ${size(done)}`) : Effect.void
  })
