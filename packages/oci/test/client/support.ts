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

/** A body that does not end, in pieces of 16 KiB. */
export const endless = (): ReadableStream<Uint8Array> =>
  new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(16 * 1024).fill(32)) })

/** A body that begins, and then neither goes on nor ends. */
export const stalled = (start: string): ReadableStream<Uint8Array> =>
  new ReadableStream({ start: (controller) => controller.enqueue(bytes(start)) })

/** A body that begins, and then breaks. */
export const broken = (start: string, cause: unknown = new Error("other side closed")): ReadableStream<Uint8Array> => {
  let begun = false
  return new ReadableStream({
    pull: (controller) => {
      if (begun) return controller.error(cause)
      begun = true
      controller.enqueue(bytes(start))
    }
  })
}
