/**
 * A certificate authority that nobody else trusts, and what it signs. It lasts as long as its layer.
 */
import type { CommandExecutor } from "@effect/platform/CommandExecutor"
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Process from "./Process.js"
import * as Tool from "./Tool.js"

/** A certificate and its key, each the path of a PEM file. */
export interface Pair {
  readonly cert: string
  readonly key: string
}

export interface Service {
  /** The path of the authority's certificate. */
  readonly ca: string
  /** For servers at 127.0.0.1, which may also be called `registry.test`. */
  readonly server: Pair
  readonly client: Pair
  /** What signs tokens. */
  readonly tokens: Pair
}

/** The name that the servers' certificate has besides their address. No resolver knows it. */
export const serverName = "registry.test"

export class Certificates extends Context.Tag("@effect-oci/interop/Certificates")<Certificates, Service>() {}

const make = Effect.gen(function* () {
  const openssl = yield* Tool.program(Tool.openssl)
  const folder = yield* Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())
  const issue = (name: string, extensions: ReadonlyArray<string>, issuer?: Pair) => {
    const pair = { cert: `${folder}/${name}.crt`, key: `${folder}/${name}.key` }
    return Effect.as(
      Process.run(
        openssl,
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"],
        ...["-subj", `/CN=effect-oci tests: ${name}`, "-keyout", pair.key, "-out", pair.cert],
        ...extensions.flatMap((extension) => ["-addext", extension]),
        ...(issuer === undefined ? [] : ["-CA", issuer.cert, "-CAkey", issuer.key])
      ),
      pair
    )
  }
  const ca = yield* issue("ca", ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign"])
  const leaf = (name: string, ...extensions: ReadonlyArray<string>) =>
    issue(name, ["basicConstraints=critical,CA:FALSE", ...extensions], ca)
  return {
    ca: ca.cert,
    server: yield* leaf("server", `subjectAltName=IP:127.0.0.1,DNS:${serverName}`),
    client: yield* leaf("client", "extendedKeyUsage=clientAuth"),
    tokens: yield* leaf("tokens")
  }
})

export const layer: Layer.Layer<
  Certificates,
  Tool.ToolMissing | Process.ProcessFailed | PlatformError,
  CommandExecutor | FileSystem.FileSystem
> = Layer.scoped(Certificates, make)
