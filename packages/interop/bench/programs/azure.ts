/**
 * Images by @azure/container-registry, the one client on npm that streams blobs both ways and verifies them.
 *
 *   pull REFERENCE FOLDER | push FOLDER REFERENCE | copy REFERENCE REFERENCE
 */
import * as fs from "node:fs"
import { pipeline } from "node:stream/promises"
import { ContainerRegistryContentClient } from "@azure/container-registry"
import { createDefaultHttpClient, type HttpClient } from "@azure/core-rest-pipeline"
import { each, file, manifestOf, parse } from "./image.js"

/** It insists on https, which nothing else here speaks. */
const plain = (): HttpClient => {
  const client = createDefaultHttpClient()
  return {
    sendRequest: (request) => {
      request.url = request.url.replace("https:", "http:")
      request.allowInsecureConnection = true
      return client.sendRequest(request)
    }
  }
}

const open = (reference: string) => {
  const { host, name, tag } = parse(reference)
  // nobody asks for it
  const credential = { getToken: async () => null }
  return {
    client: new ContainerRegistryContentClient(`https://${host}`, name, credential, { httpClient: plain() }),
    tag
  }
}

const pull = async (source: string, folder: string) => {
  const { client, tag } = open(source)
  fs.mkdirSync(`${folder}/blobs/sha256`, { recursive: true })
  const { content } = await client.getManifest(tag)
  await each(content.toString(), async (blob) => {
    const { content } = await client.downloadBlob(blob.digest)
    await pipeline(content, fs.createWriteStream(file(folder, blob)))
  })
}

const push = async (folder: string, target: string) => {
  const { client, tag } = open(target)
  const manifest = manifestOf(folder)
  await each(manifest, (blob) => client.uploadBlob(fs.createReadStream(file(folder, blob), { highWaterMark: 1 << 20 })))
  await client.setManifest(Buffer.from(manifest), { tag })
}

const copy = async (source: string, target: string) => {
  const [{ client, tag }, to] = [open(source), open(target)]
  const { content } = await client.getManifest(tag)
  await each(content.toString(), async (blob) => {
    const { content } = await client.downloadBlob(blob.digest)
    await to.client.uploadBlob(content)
  })
  await to.client.setManifest(content, { tag: to.tag })
}

const [job, from = "", to = ""] = process.argv.slice(2)
if (job === "pull") await pull(from, to)
else if (job === "push") await push(from, to)
else await copy(from, to)
