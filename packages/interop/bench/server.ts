/**
 * A loopback registry of one blob and one image manifest, as fast as node:http gets. Under `/v2/open/` it asks nobody who
 * they are; elsewhere it wants a token of its own token service. It runs in a process of its own and says what it has.
 */
import { createHash, randomBytes, randomFillSync } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"

/** What the server tells the process that started it. */
export interface Serving {
  readonly port: number
  readonly blob: { readonly digest: string; readonly size: number }
  /** What its token service hands out. */
  readonly token: string
}

const mebibytes = Number(process.argv[2])
const piece = randomFillSync(Buffer.alloc(1024 * 1024))
const hash = createHash("sha256")
for (let i = 0; i < mebibytes; i++) hash.update(piece)
const blob = { digest: `sha256:${hash.digest("hex")}`, size: piece.length * mebibytes }

const type = "application/vnd.oci.image.manifest.v1+json"
const descriptor = { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", ...blob }
const config = { ...descriptor, mediaType: "application/vnd.oci.image.config.v1+json" }
const manifest = Buffer.from(
  JSON.stringify({ schemaVersion: 2, mediaType: type, config, layers: Array(6).fill(descriptor) })
)
const digest = `sha256:${createHash("sha256").update(manifest).digest("hex")}`

const token = randomBytes(256).toString("base64url")
const authorization = `Bearer ${token}`

const challenge = ({ headers: { host } }: IncomingMessage, response: ServerResponse) => {
  const realm = `Bearer realm="http://${host}/token",service="bench",scope="repository:bench/app:pull"`
  response.writeHead(401, { "www-authenticate": realm, "content-length": 0 }).end()
}

const sendToken = (response: ServerResponse) => {
  const body = JSON.stringify({ token, expires_in: 3600 })
  response.writeHead(200, { "content-type": "application/json", "content-length": body.length }).end(body)
}

const sendManifest = (head: boolean, response: ServerResponse) => {
  response.writeHead(200, { "content-type": type, "content-length": manifest.length, "docker-content-digest": digest })
  response.end(head ? undefined : manifest)
}

const sendBlob = (response: ServerResponse) => {
  response.writeHead(200, { "content-type": "application/octet-stream", "content-length": blob.size })
  let sent = 0
  const more = (): void => {
    while (sent < mebibytes) {
      sent++
      if (!response.write(piece)) {
        response.once("drain", more)
        return
      }
    }
    response.end()
  }
  more()
}

const server = createServer((request, response) => {
  const { headers, method, url = "/" } = request
  if (url.startsWith("/token")) return sendToken(response)
  if (!url.startsWith("/v2/open/") && headers.authorization !== authorization) return challenge(request, response)
  return url.includes("/manifests/") ? sendManifest(method === "HEAD", response) : sendBlob(response)
})
server.keepAliveTimeout = 60_000

server.listen(0, "127.0.0.1", () => {
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  const serving: Serving = { port, blob, token }
  process.send?.(serving)
})
process.once("disconnect", () => process.exit())
