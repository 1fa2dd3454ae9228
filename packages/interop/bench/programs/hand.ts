/**
 * What this runtime can do: undici, node:crypto and node:fs by hand, with no more checks than digests and statuses.
 *
 *   pull REFERENCE FOLDER | push FOLDER REFERENCE [ask] | copy REFERENCE REFERENCE
 *
 * With `ask`, a blob is asked for before it is pushed, as most clients do.
 */
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import { PassThrough, type Readable } from "node:stream"
import { Agent, request } from "@effect/platform-node/Undici"
import * as Image from "./image.js"

const batch = 1024 * 1024
const type = "application/vnd.oci.image.manifest.v1+json"
const dispatcher = new Agent({ connections: 16 })

const parse = (reference: string) => {
  const { host, name, tag } = Image.parse(reference)
  const origin = `http://${host}`
  return { origin, url: `${origin}/v2/${name}`, tag }
}

const ask = async (expected: number, url: string, options: NonNullable<Parameters<typeof request>[1]> = {}) => {
  const answer = await request(url, { dispatcher, ...options })
  if (answer.statusCode !== expected) throw new Error(`${answer.statusCode} ${url}: ${await answer.body.text()}`)
  return answer
}

const getManifest = async (url: string, tag: string) => {
  const { body } = await ask(200, `${url}/manifests/${tag}`, { headers: { accept: type } })
  return body.text()
}

const putManifest = async (url: string, tag: string, body: string) => {
  const answer = await ask(201, `${url}/manifests/${tag}`, { method: "PUT", body, headers: { "content-type": type } })
  await answer.body.dump()
}

/** Hashes bytes as they come, and writes them in batches of 1 MiB, two of them under way at most. */
const save = (body: Readable, { digest, size }: Image.Blob, path: string) =>
  new Promise<void>((resolve, reject) => {
    const fd = fs.openSync(path, "w")
    const hash = createHash("sha256")
    let pieces: Array<Buffer> = []
    let [held, position, writing, ended] = [0, 0, 0, false]
    const end = () => {
      fs.closeSync(fd)
      if (position === size && `sha256:${hash.digest("hex")}` === digest) resolve()
      else reject(new Error(`${digest} is another one`))
    }
    const write = () => {
      const [at, length] = [position, held]
      writing++
      fs.writev(fd, pieces, at, (error, written) => {
        writing--
        if (error !== null) return reject(error)
        if (written !== length) return reject(new Error("the disk is full"))
        if (writing === 0 && ended) return end()
        body.resume()
      })
      pieces = []
      position += held
      held = 0
      if (writing === 2) body.pause()
    }
    body.on("data", (piece: Buffer) => {
      hash.update(piece)
      pieces.push(piece)
      held += piece.length
      if (held >= batch) write()
    })
    body.once("end", () => {
      ended = true
      if (held > 0) write()
      else if (writing === 0) end()
    })
    body.once("error", reject)
  })

const upload = async (origin: string, url: string, { digest, size }: Image.Blob, body: Readable | Buffer) => {
  const { body: empty, headers } = await ask(202, `${url}/blobs/uploads/`, { method: "POST" })
  await empty.dump()
  const location = new URL(String(headers.location), origin)
  location.searchParams.set("digest", digest)
  const put = { "content-length": String(size), "content-type": "application/octet-stream" }
  const answer = await ask(201, location.href, { method: "PUT", body, headers: put })
  await answer.body.dump()
}

const pull = async (source: string, folder: string) => {
  const { tag, url } = parse(source)
  fs.mkdirSync(`${folder}/blobs/sha256`, { recursive: true })
  await Image.each(await getManifest(url, tag), async (blob) => {
    const { body } = await ask(200, `${url}/blobs/${blob.digest}`)
    await save(body, blob, Image.file(folder, blob))
  })
}

const push = async (folder: string, target: string, asking: boolean) => {
  const { origin, tag, url } = parse(target)
  const manifest = Image.manifestOf(folder)
  await Image.each(manifest, async (blob) => {
    if (asking) {
      const { body } = await ask(404, `${url}/blobs/${blob.digest}`, { method: "HEAD", reset: false })
      await body.dump()
    }
    const path = Image.file(folder, blob)
    const content = blob.size > batch ? fs.createReadStream(path, { highWaterMark: batch }) : fs.promises.readFile(path)
    await upload(origin, url, blob, await content)
  })
  await putManifest(url, tag, manifest)
}

/** From registry to registry, hashed on its way: nothing that is wrong arrives whole. */
const copy = async (source: string, target: string) => {
  const from = parse(source)
  const to = parse(target)
  const manifest = await getManifest(from.url, from.tag)
  await Image.each(manifest, async (blob) => {
    const { body } = await ask(200, `${from.url}/blobs/${blob.digest}`)
    const hash = createHash("sha256")
    const through = new PassThrough({ highWaterMark: batch })
    body.on("data", (piece: Buffer) => {
      hash.update(piece)
      if (!through.write(piece)) body.pause()
    })
    through.on("drain", () => body.resume())
    body.once("error", (error) => through.destroy(error))
    body.once("end", () => {
      if (`sha256:${hash.digest("hex")}` === blob.digest) through.end()
      else through.destroy(new Error(`${blob.digest} is another one`))
    })
    await upload(to.origin, to.url, blob, through)
  })
  await putManifest(to.url, to.tag, manifest)
}

const [job, from = "", to = "", option] = process.argv.slice(2)
if (job === "pull") await pull(from, to)
else if (job === "push") await push(from, to, option === "ask")
else await copy(from, to)
await dispatcher.close()
