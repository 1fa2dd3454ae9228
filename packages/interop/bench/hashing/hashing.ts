/** How fast content is hashed, in Chromium and in Node, and what the code for it weighs in a page. */
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import * as NodeHasher from "@effect-oci/node/NodeHasher"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type { Algorithm } from "effect-oci/Digest"
import * as Hasher from "effect-oci/Hasher"
import * as Chromium from "../../src/browser/Chromium.js"
import * as ScriptPage from "../../src/browser/ScriptPage.js"
import { median, rotate, type Taken } from "../rounds.js"
import { table } from "../table.js"
import * as Ways from "./ways.js"

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url))

const algorithms: ReadonlyArray<Algorithm> = ["sha256", "sha512"]

/** What all three algorithms of a library weigh, gzipped. */
const weight = (exported: string) => {
  const stdin = { contents: `export ${exported}`, resolveDir: here("../../../oci/src/spec") }
  return Effect.map(
    ScriptPage.bundle({ stdin, minify: true }),
    (code) => `${(gzipSync(code, { level: 9 }).byteLength / 1000).toFixed(1)} KB`
  )
}

const weights = Effect.all({
  "@noble/hashes": weight('{ sha256, sha384, sha512 } from "@noble/hashes/sha2.js"'),
  "hash-wasm": weight('{ createSHA256, createSHA384, createSHA512 } from "hash-wasm"')
}).pipe(Effect.map((all) => new Map(Object.entries(all))))

/** Lets ways take turns at one algorithm. */
const compare = (
  rounds: number,
  ways: ReadonlyArray<string>,
  measure: (way: string, algorithm: Algorithm) => Promise<Ways.Measured>
) =>
  Effect.forEach(algorithms, (algorithm) =>
    rotate(
      ways.map((name) => ({ name, run: Effect.promise(() => measure(name, algorithm)) })),
      rounds
    )
  )

const agree = (taken: ReadonlyArray<Taken<Ways.Measured>>): boolean =>
  new Set(taken.flatMap(({ rounds }) => rounds.map(({ hash }) => hash))).size === 1

export const run = (rounds: number) =>
  Effect.gen(function* () {
    const page = yield* Effect.orDie(ScriptPage.open(here("page.ts")))
    const portable = yield* Ways.ways
    const native = Ways.incremental(yield* Effect.provide(Hasher.Hasher, NodeHasher.layer))
    const all = new Map([...Object.entries(portable), ["node:crypto", native]])
    const content = Ways.content()
    const inPage = yield* compare(rounds, Object.keys(portable), (way, algorithm) =>
      page.evaluate(([way, algorithm]) => measureHash(way, algorithm), [way, algorithm] as const)
    )
    const inNode = yield* compare(rounds, [...all.keys()], async (name, algorithm) => {
      const way = all.get(name)
      if (way === undefined) throw new Error(name)
      return Ways.measure(way, algorithm, content)
    })
    for (const [index, algorithm] of algorithms.entries()) {
      const both = [...(inPage[index] ?? []), ...(inNode[index] ?? [])]
      if (!agree(both)) return yield* Effect.dieMessage(`they do not agree on ${algorithm}`)
    }
    const known = yield* weights
    const rows = [...all.keys()].map((name) => [
      name,
      ...[...inPage, ...inNode].map((taken) => {
        const side = taken.find((one) => one.name === name)
        return side === undefined ? "" : median(side.rounds.map(({ rate }) => rate)).toFixed(0)
      }),
      known.get(name) ?? ""
    ])
    const columns = ["Chromium", "Node"].flatMap((where) => algorithms.map((algorithm) => `${where} ${algorithm}`))
    yield* Console.log(`\n### Hashing 64 MiB, MB/s\n\n${table(["", ...columns, "gzipped"], rows)}`)
  }).pipe(Effect.provide(Chromium.layer))
