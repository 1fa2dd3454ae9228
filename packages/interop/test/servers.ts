import { createServer } from "node:http"
import * as Command from "@effect/platform/Command"
import type { CommandExecutor } from "@effect/platform/CommandExecutor"
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpServer from "@effect/platform/HttpServer"
import type { ServeError } from "@effect/platform/HttpServerError"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeHasher from "@effect-oci/node/NodeHasher"
import * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as Process from "../src/Process.js"
import * as Tool from "../src/Tool.js"

/** Where a registry listens: `127.0.0.1:port`. */
export class Host extends Context.Tag("@effect-oci/interop/test/Host")<Host, string>() {}

/** The embedded registry on a free port. */
export const embedded = (options?: RegistryServer.Options): Layer.Layer<Host, ServeError> =>
  Layer.effect(
    Host,
    Effect.map(HttpServer.HttpServer, ({ address }) =>
      address._tag === "TcpAddress" ? `127.0.0.1:${address.port}` : address.path
    )
  ).pipe(
    Layer.provideMerge(RegistryServer.layerHttp(options)),
    Layer.provide([NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" }), NodeHasher.layer])
  )

/** docker-registry on a free port, its storage in a temporary folder. Both end with the layer. */
export const dockerRegistry: Layer.Layer<
  Host,
  Tool.ToolMissing | Process.ProcessFailed | PlatformError,
  CommandExecutor | FileSystem.FileSystem
> = Layer.scoped(
  Host,
  Effect.gen(function* () {
    const program = yield* Tool.program(Tool.dockerRegistry)
    const fs = yield* FileSystem.FileSystem
    const folder = yield* fs.makeTempDirectoryScoped()
    const config = {
      version: "0.1",
      log: { level: "info", accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: `${folder}/storage` }, delete: { enabled: true } },
      http: { addr: "127.0.0.1:0", relativeurls: true }
    }
    yield* fs.writeFileString(`${folder}/config.yml`, JSON.stringify(config))
    const registry = yield* Command.start(Command.make(program, "serve", `${folder}/config.yml`))
    const host = yield* Deferred.make<string, Process.ProcessFailed>()
    // its log tells the port; it is read to its end, or a full pipe would stop the registry
    yield* registry.stderr.pipe(
      Stream.decodeText(),
      Stream.splitLines,
      Stream.runForEach((line) => {
        const found = /listening on ([\d.]+:\d+)/.exec(line)?.[1]
        return found === undefined ? Effect.void : Deferred.succeed(host, found)
      }),
      Effect.zipRight(Deferred.fail(host, new Process.ProcessFailed({ command: program, output: "it ended at once" }))),
      Effect.forkScoped
    )
    return yield* Deferred.await(host)
  })
)
