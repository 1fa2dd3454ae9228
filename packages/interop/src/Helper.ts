/**
 * A credential helper: a program on the PATH that keeps credentials, and says in its log what it was asked for.
 * https://github.com/docker/docker-credential-helpers
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"

/** What it is called in `credsStore` and `credHelpers`. */
export const name = "effecttest"

const program = (file: string) => `#!${process.execPath}
const fs = require("node:fs")
const [, , verb] = process.argv
const given = verb === "list" ? "" : fs.readFileSync(0, "utf8").trim()
const kept = fs.existsSync(${file}) ? JSON.parse(fs.readFileSync(${file}, "utf8")) : {}
const missing = () => {
  console.log("credentials not found in native keychain")
  process.exit(1)
}
if (verb === "store") {
  const { ServerURL, Username, Secret } = JSON.parse(given)
  kept[ServerURL] = { ServerURL, Username, Secret }
} else if (verb === "get") {
  if (kept[given] === undefined) missing()
  console.log(JSON.stringify(kept[given]))
} else if (verb === "erase") {
  if (kept[given] === undefined) missing()
  delete kept[given]
} else if (verb === "list") {
  console.log(JSON.stringify(Object.fromEntries(Object.values(kept).map((one) => [one.ServerURL, one.Username]))))
} else process.exit(2)
fs.writeFileSync(${file}, JSON.stringify(kept))
`

/** Writes one that keeps nothing yet: the folder to put on the PATH, and what it keeps, by server. */
export const make = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const folder = yield* fs.makeTempDirectoryScoped()
  const file = `${folder}/kept.json`
  yield* fs.writeFileString(`${folder}/docker-credential-${name}`, program(JSON.stringify(file)), { mode: 0o700 })
  return { folder, kept: fs.readFileString(file) }
})
