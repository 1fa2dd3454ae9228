import * as Either from "effect/Either"
import * as Digest from "effect-oci/Digest"
import * as Reference from "effect-oci/Reference"
import * as RegistryName from "effect-oci/RegistryName"
import * as Repository from "effect-oci/Repository"

export const registry = Either.getOrThrow(RegistryName.parse("registry.test"))

export const repository = Either.getOrThrow(Repository.parse("registry.test/org/app"))

export const reference = Either.getOrThrow(Reference.parse("registry.test/org/app:1.2"))

/** Of the two bytes `{}`. */
export const digest = Either.getOrThrow(
  Digest.parse("sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")
)

export const origin = "https://registry.test"

export const tagsUrl = `${origin}/v2/org/app/tags/list`

export const manifestUrl = `${origin}/v2/org/app/manifests/1.2`

export const blobUrl = `${origin}/v2/org/app/blobs/${digest}`

export const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)

/** A body of more than anybody should read, in pieces of 16 KiB. */
export const endless = (): ReadableStream<Uint8Array> => {
  let left = 1000
  return new ReadableStream({
    pull: (controller) => {
      if (--left === 0) controller.error(new Error("read too far"))
      else controller.enqueue(new Uint8Array(16 * 1024).fill(32))
    }
  })
}

/** A body in pieces, each given when it is asked for; after them it ends as it is told to. */
const drawn = (pieces: ReadonlyArray<string>, end: (controller: ReadableStreamDefaultController) => unknown) => {
  const left = [...pieces]
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const piece = left.shift()
      if (piece === undefined) await end(controller)
      else controller.enqueue(bytes(piece))
    }
  })
}

/** A body in pieces. */
export const pieces = (...texts: ReadonlyArray<string>): ReadableStream<Uint8Array> =>
  drawn(texts, (controller) => controller.close())

/** A body that begins, and then neither goes on nor ends; `asked` is called when it is asked to. */
export const stalled = (start: string, asked: () => void): ReadableStream<Uint8Array> =>
  drawn([start], () => {
    asked()
    return new Promise(() => {})
  })

/** A body that begins, and then breaks. */
export const broken = (start: string, cause: unknown = new Error("other side closed")): ReadableStream<Uint8Array> =>
  drawn([start], (controller) => controller.error(cause))
