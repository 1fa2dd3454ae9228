/** What the programs without Effect share. */
import * as fs from "node:fs"

export interface Blob {
  readonly digest: string
  readonly size: number
}

/** `127.0.0.1:5000/org/app:1` */
export const parse = (reference: string) => {
  const [, host = "", name = "", tag = ""] = /^([^/]+)\/(.+):(.+)$/.exec(reference) ?? []
  return { host, name, tag }
}

export const file = (folder: string, { digest }: Pick<Blob, "digest">) => `${folder}/blobs/${digest.replace(":", "/")}`

/** The manifest of a layout that has one. */
export const manifestOf = (folder: string): string => {
  const { manifests } = JSON.parse(fs.readFileSync(`${folder}/index.json`, "utf8"))
  return fs.readFileSync(file(folder, manifests[0]), "utf8")
}

/** All blobs of a manifest, the largest first, six at a time. */
export const each = async (manifest: string, one: (blob: Blob) => Promise<unknown>) => {
  const { config, layers }: { config: Blob; layers: ReadonlyArray<Blob> } = JSON.parse(manifest)
  const queue = [...layers, config].sort((a, b) => b.size - a.size)
  const worker = async () => {
    for (let blob = queue.shift(); blob !== undefined; blob = queue.shift()) await one(blob)
  }
  await Promise.all(Array.from({ length: 6 }, worker))
}
