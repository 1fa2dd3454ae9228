/** What the page of the measurement runs. */
import * as Effect from "effect/Effect"
import type { Algorithm } from "effect-oci/Digest"
import * as Ways from "./ways.js"

declare global {
  /** Measures one of the ways once. */
  var measureHash: (way: string, algorithm: Algorithm) => Promise<Ways.Measured>
}

const ways = await Effect.runPromise(Ways.ways)
const content = Ways.content()

globalThis.measureHash = async (name, algorithm) => {
  const way = ways[name]
  if (way === undefined) throw new Error(`there is no ${name}`)
  return Ways.measure(way, algorithm, content)
}
