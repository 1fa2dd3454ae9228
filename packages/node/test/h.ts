import * as Effect from "effect/Effect"
import * as Blobs from "effect-oci/Blobs"
import * as NodeHttp from "@effect-oci/node/NodeHttp"
import { client, digest, repositoryAt, serve } from "./support.js"
const p = Effect.scoped(Effect.gen(function* () {
  const server = yield* serve((_, r) => r.setHeader("content-length", 2).end("{}"))
  const repository = yield* repositoryAt(server)
  for (let i = 0; i < 5; i++) {
    const t = Date.now()
    yield* Effect.repeatN(Blobs.head(repository, digest), 199)
    console.log(Date.now() - t, server.connections())
  }
}).pipe(Effect.provide(client(NodeHttp.layer))))
Effect.runPromise(p)
