/** A loopback registry of one blob and one manifest, as fast as node:http gets; prints its port. */
import { createHash, randomFillSync } from "node:crypto"
import { createServer } from "node:http"

const mebibytes = Number(process.argv[2])
const piece = randomFillSync(Buffer.alloc(1024 * 1024))
const hash = createHash("sha256")
for (let i = 0; i < mebibytes; i++) hash.update(piece)
const blob = { digest: `sha256:${hash.digest("hex")}`, size: piece.length * mebibytes }

const type = "application/vnd.oci.image.manifest.v1+json"
const descriptor = { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", ...blob }
const manifest = Buffer.from(
  JSON.stringify({ schemaVersion: 2, mediaType: type, config: descriptor, layers: Array(8).fill(descriptor) })
)
const digest = `sha256:${createHash("sha256").update(manifest).digest("hex")}`

const server = createServer((request, response) => {
  if (request.url?.includes("/manifests/")) {
    response.writeHead(200, {
      "content-type": type,
      "content-length": manifest.length,
      "docker-content-digest": digest
    })
    response.end(request.method === "HEAD" ? undefined : manifest)
    return
  }
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
})

server.listen(0, "127.0.0.1", () => {
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  process.send?.({ port, blob, digest })
})
