/**
 * The registries that the tests run against. Each listens on a free port of its own, keeps what it has in a temporary
 * folder or in memory, and ends with its layer.
 */
import { createServer } from "node:http"
import * as Command from "@effect/platform/Command"
import type { CommandExecutor, ProcessId } from "@effect/platform/CommandExecutor"
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
import type { Deviations } from "../../oci/test/endpoints/suite/support.js"
import * as Process from "./Process.js"
import * as Tool from "./Tool.js"

/** Where a registry listens: `127.0.0.1:port`. */
export class Host extends Context.Tag("@effect-oci/interop/Host")<Host, string>() {}

/** The process that a registry is, unless it is this one. */
export class Pid extends Context.Tag("@effect-oci/interop/Pid")<Pid, ProcessId>() {}

export interface Server {
  readonly name: string
  /** The program that it is, unless it is the project's own. */
  readonly tool?: Tool.Tool
  readonly layer: Layer.Layer<
    Host,
    ServeError | Tool.ToolMissing | Process.ProcessFailed | PlatformError,
    CommandExecutor | FileSystem.FileSystem
  >
  /** What it does otherwise than the specification says. */
  readonly deviations: Deviations
}

/** The embedded registry: in memory, unless a storage is provided to it. */
export const embeddedWith = (options?: RegistryServer.Options): Layer.Layer<Host, ServeError> =>
  Layer.effect(
    Host,
    Effect.map(HttpServer.HttpServer, ({ address }) =>
      address._tag === "TcpAddress" ? `127.0.0.1:${address.port}` : address.path
    )
  ).pipe(
    Layer.provideMerge(RegistryServer.layerHttp(options)),
    Layer.provide([NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" }), NodeHasher.layer])
  )

/** A program that serves until it is ended, and says in its log, after some words, on which port. */
const serving = (command: Command.Command, words: string) =>
  Effect.gen(function* () {
    const registry = yield* Command.start(command)
    const port = yield* Deferred.make<number, Process.ProcessFailed>()
    const ended = new Process.ProcessFailed({ command: Process.show(command), output: "it ended at once" })
    // the log is read to its end, or a full pipe would stop the registry
    yield* registry.stderr.pipe(
      Stream.decodeText(),
      Stream.splitLines,
      Stream.runForEach((line) => {
        const at = line.indexOf(words)
        return at < 0 ? Effect.void : Deferred.succeed(port, Number.parseInt(line.slice(at + words.length), 10))
      }),
      Effect.zipRight(Deferred.fail(port, ended)),
      Effect.forkScoped
    )
    return Context.make(Host, `127.0.0.1:${yield* Deferred.await(port)}`).pipe(Context.add(Pid, registry.pid))
  })

/** Parts of distribution's configuration: https://distribution.github.io/distribution/about/configuration/ */
export interface DistributionSettings {
  readonly auth?: object
  readonly tls?: object
  /** The folder of its storage, which is a temporary one by default. */
  readonly storage?: string
}

/** CNCF distribution, which docker-registry is an older version of. */
export const distributionWith = <E = never, R = never>(
  tool: Tool.Tool,
  settings: Effect.Effect<DistributionSettings, E, R>
) =>
  Layer.scopedContext(
    Effect.gen(function* () {
      const { auth, storage, tls } = yield* settings
      const program = yield* Tool.program(tool)
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      const config = {
        version: "0.1",
        log: { level: "info", accesslog: { disabled: true } },
        storage: { filesystem: { rootdirectory: storage ?? `${folder}/storage` }, delete: { enabled: true } },
        http: { addr: "127.0.0.1:0", relativeurls: true, tls },
        auth
      }
      yield* fs.writeFileString(`${folder}/config.yml`, JSON.stringify(config))
      const command = Command.make(program, "serve", `${folder}/config.yml`).pipe(
        Command.env({ OTEL_TRACES_EXPORTER: "none" })
      )
      return yield* serving(command, "listening on 127.0.0.1:")
    })
  )

export const embedded: Server = { name: "the embedded registry", layer: embeddedWith(), deviations: {} }

export const dockerRegistry: Server = {
  name: "docker-registry",
  tool: Tool.dockerRegistry,
  layer: distributionWith(Tool.dockerRegistry, Effect.succeed({})),
  deviations: {
    sha512: "stored as sha256",
    chunkOrder: false,
    mount: "from a repository",
    referrersApi: false,
    tagDelete: false,
    tagOrder: false,
    tagPaging: false
  }
}

export const distribution: Server = {
  name: "distribution",
  tool: Tool.distribution,
  layer: distributionWith(Tool.distribution, Effect.succeed({})),
  deviations: {
    sha512: "stored as sha256",
    chunkOrder: "untold",
    mount: "from a repository",
    referrersApi: false
  }
}

/** go-containerregistry's own, which crane serves. */
export const ggcr: Server = {
  name: "ggcr",
  tool: Tool.crane,
  layer: Layer.scopedContext(
    Effect.gen(function* () {
      const program = yield* Tool.program(Tool.crane)
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      const command = Command.make(program, "registry", "serve", "--address", "127.0.0.1:0", "--disk", folder)
      return yield* serving(command, "serving on port ")
    })
  ),
  deviations: {
    sha512: "blobs lost",
    openRanges: false,
    chunkOrder: "untold",
    uploadStatus: false,
    uploadCancel: false,
    mount: false,
    missingBlobs: "taken",
    missingBlobDelete: "breaks",
    deletedTags: "stay",
    referrersApi: false,
    tagPaging: "no links",
    catalogPaging: "no links"
  }
}

export const all: ReadonlyArray<Server> = [embedded, dockerRegistry, distribution, ggcr]
