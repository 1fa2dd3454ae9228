/** Content that no one can compress and everyone can make again: a cipher's key stream, in an OCI layout. */
import { createCipheriv, createHash } from "node:crypto"
import * as fs from "node:fs"

export interface Shape {
  readonly name: string
  readonly count: number
  /** Of each layer, in bytes. */
  readonly size: number
}

export interface Blob {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

/** An image, and the folder of the layout that names it `1`. */
export interface Image {
  readonly folder: string
  readonly manifest: Blob
  readonly config: Blob
  readonly layers: ReadonlyArray<Blob>
}

export const kibibyte = 1024
export const mebibyte = 1024 * kibibyte
export const gibibyte = 1024 * mebibyte

const zeros = Buffer.alloc(mebibyte)

/** A layer by its number. */
function* content(number: number, size: number) {
  const iv = Buffer.alloc(16)
  iv.writeUInt32BE(number)
  const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16), iv)
  for (let left = size; left > 0; left -= zeros.length) yield cipher.update(zeros.subarray(0, left))
}

const store = (folder: string, mediaType: string, pieces: Iterable<Uint8Array>): Blob => {
  const written = `${folder}/blobs/sha256/new`
  const fd = fs.openSync(written, "w")
  const hash = createHash("sha256")
  let size = 0
  for (const piece of pieces) {
    hash.update(piece)
    fs.writeSync(fd, piece)
    size += piece.length
  }
  fs.closeSync(fd)
  const hex = hash.digest("hex")
  fs.renameSync(written, `${folder}/blobs/sha256/${hex}`)
  return { mediaType, digest: `sha256:${hex}`, size }
}

/** Writes the image of a shape into an empty folder. */
export const write = (folder: string, { count, size }: Shape): Image => {
  fs.mkdirSync(`${folder}/blobs/sha256`, { recursive: true })
  const json = (mediaType: string, value: object) => store(folder, mediaType, [Buffer.from(JSON.stringify(value))])
  // called compressed, so that no one thinks of compressing it
  const layers = Array.from({ length: count }, (_, number) =>
    store(folder, "application/vnd.oci.image.layer.v1.tar+gzip", content(number, size))
  )
  const config = json("application/vnd.oci.image.config.v1+json", {
    architecture: "amd64",
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: layers.map(({ digest }) => digest) }
  })
  const mediaType = "application/vnd.oci.image.manifest.v1+json"
  const manifest = json(mediaType, { schemaVersion: 2, mediaType, config, layers })
  fs.writeFileSync(`${folder}/oci-layout`, JSON.stringify({ imageLayoutVersion: "1.0.0" }))
  const named = { ...manifest, annotations: { "org.opencontainers.image.ref.name": "1" } }
  const index = { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [named] }
  fs.writeFileSync(`${folder}/index.json`, JSON.stringify(index))
  return { folder, manifest, config, layers }
}
