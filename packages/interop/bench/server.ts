/**
 * A loopback registry of one image manifest, as fast as node:http gets. It wants a token of its own token service, runs in a
 * process of its own and says what it has.
 */
import { createHash, randomBytes } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"

/** What the server tells the process that started it. */
export interface Serving {
  readonly port: number
  /** What its token service hands out. */
  readonly token: string
}

const type = "application/vnd.oci.image.manifest.v1+json"
const blob = { digest: `sha256:${createHash("sha256").digest("hex")}`, size: 0 }
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

const server = createServer((request, response) => {
  const { headers, method, url = "/" } = request
  if (url.startsWith("/token")) return sendToken(response)
  if (headers.authorization !== authorization) return challenge(request, response)
  sendManifest(method === "HEAD", response)
})
server.keepAliveTimeout = 60_000

server.listen(0, "127.0.0.1", () => {
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  const serving: Serving = { port, token }
  process.send?.(serving)
})
process.once("disconnect", () => process.exit())
