import * as fs from "node:fs"
import * as https from "node:https"
import * as os from "node:os"
import * as path from "node:path"
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Blobs from "effect-oci/Blobs"
import * as Catalog from "effect-oci/Catalog"
import * as Manifests from "effect-oci/Manifests"
import * as Referrers from "effect-oci/Referrers"
import * as Registry from "effect-oci/Registry"
import * as Tags from "effect-oci/Tags"
import * as Uploads from "effect-oci/Uploads"
import * as Certificate from "../../packages/node/test/certificate.js"
import * as List from "../examples/internal/list.js"
import * as Runner from "../examples/internal/runner.js"
import { printed } from "./support.js"

const outputs: { readonly [name: string]: ReadonlyArray<string> } = {
  "registry-ping": ["registry.test is there", "API: registry/2.0, software: it does not say"],
  "registry-supports": ["registry.test is a registry"],
  "registry-login": ["signed in to registry.test as me, by no scheme: it answers everybody", "kept in memory"],
  "registry-logout": ["kept for registry.test: Some", "after logout: None"],
  "manifests-head": ["sha256:…", "application/vnd.oci.image.index.v1+json, 491 bytes"],
  "manifests-exists": ["registry.test/org/app:1.2: true", "registry.test/org/app:no-such-tag: false"],
  "manifests-get": [
    "sha256:… is of type application/vnd.oci.image.index.v1+json",
    "sha256:… is for linux/amd64",
    "sha256:… is for linux/arm64"
  ],
  "manifests-resolve": ["on linux/arm64 it is sha256:…", "nothing for plan9/386, but for linux/amd64, linux/arm64"],
  "manifests-put": ["wrote registry.test/org/app:effect-oci-example, which is sha256:…"],
  "manifests-put-tags": ["wrote effect-oci-example-1 and effect-oci-example-2 in registry.test/org/app for sha256:…"],
  "manifests-delete": [
    "wrote registry.test/org/app:effect-oci-delete-me",
    "deleted its manifest; is the tag there? false"
  ],
  "blobs-head": ["sha256:… has 2048 bytes"],
  "blobs-exists": ["its config: true", "something else: false"],
  "blobs-get": ["it runs on linux/amd64", "its layers: 1"],
  "blobs-stream": ["sha256:…: 2048 bytes, verified"],
  "blobs-to-file": ["sha256:…: 2048 bytes in layer.tar, verified"],
  "blobs-range": [`its config begins {"created"`, `its config ends "]}}`],
  "blobs-push": [
    "wrote registry.test/org/app@sha256:…, 31 bytes",
    "wrote registry.test/org/app@sha256:…, 62 bytes moved",
    "wrote registry.test/org/app/other@sha256:…, which registry.test/org/app has"
  ],
  "image-copy": ["wrote registry.test/org/app/copy:effect-oci-example", "sent 5, mounted 5, there already 0"],
  "blobs-delete": ["wrote registry.test/org/app@sha256:…", "deleted it; is it there? false"],
  "uploads-post": ["wrote registry.test/org/app@sha256:…, 11 bytes"],
  "uploads-start": ["begun, the registry has 0 bytes", "wrote registry.test/org/app@sha512:…"],
  "uploads-patch": [
    "the registry has 10 of 25 bytes",
    "the registry has 25 of 25 bytes",
    "wrote registry.test/org/app@sha256:…"
  ],
  "uploads-finish": ["wrote registry.test/org/app@sha256:…, 40 bytes"],
  "uploads-status": ["the registry has 10 bytes"],
  "uploads-resume": ["the registry has 11 of 31 bytes", "wrote registry.test/org/app@sha256:…"],
  "uploads-cancel": ["cancelled", "the registry knows of it no more"],
  "uploads-mount": ["wrote registry.test/org/app/mounted@sha256:…"],
  "tags-list": ["first page: 1.1, 1.2", "next page: 1.2.sbom, 1.2.sig"],
  "tags-stream": ["1.1", "1.2", "1.2.sbom", "1.2.sig"],
  "tags-delete": [
    "wrote the tag effect-oci-delete-me in registry.test/org/app",
    "deleted it; is registry.test/org/app:1.2 there? true"
  ],
  "referrers-list": ["1 of type application/spdx+json", "sha256:…"],
  "referrers-stream": ["application/spdx+json: sha256:…", "application/vnd.dev.sigstore.bundle.v0.3+json: sha256:…"],
  "referrers-get": [
    "sha256:… application/vnd.oci.image.manifest.v1+json",
    "sha256:… application/vnd.oci.image.manifest.v1+json"
  ],
  "referrers-attach": ["attached sha256:…", "is it listed? true"],
  "catalog-list": ["first page: org/app", "there are more"],
  "catalog-stream": ["org/app", "org/base"],
  "parse-reference": [
    "whole: docker.io/library/node:22",
    "short: node:22",
    "tag: 22",
    "digest: none",
    "what a request asks for: 22"
  ],
  "parse-repository": [
    "registry: docker.io",
    "official: true",
    "remote name: library/mongo",
    "local name: mongo",
    "canonical name: docker.io/mongo"
  ],
  "parse-registry": ["name: docker.io", "Docker Hub: true", "API at: registry-1.docker.io", "this machine: false"],
  "parse-digest": [
    "algorithm: sha256",
    "encoded: 44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    "content can be verified: true"
  ],
  "parse-platform": [
    "platform: linux/arm64",
    "runs images for linux/amd64: false",
    "runs images for linux/arm64/v8: true",
    "runs images for windows/amd64: false"
  ],
  "use-compose": ["sha256:…"],
  "use-own-http-client": ["sha256:…"],
  "use-mock-registry": ["1.2 is sha256:…", "9 is undefined"],
  "image-download": ["2 blobs of sha256:… are in the folder"],
  "media-type-own": ["hello, world", "for amd64, arm64"]
}

/** A folder that is gone afterwards. */
const temporary = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "effect-oci-"))),
  (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true }))
)

const names = [List.endpoints, List.parsers, List.uses].flatMap((imports) => Object.keys(imports))

describe("the examples", () => {
  for (const name of names) {
    it.scoped(`${name} prints what it did`, () =>
      Effect.gen(function* () {
        const folder = yield* temporary
        const { err, out } = yield* Effect.withConfigProvider(
          printed(Runner.run([name])),
          ConfigProvider.fromMap(new Map([["FOLDER", folder]]))
        )
        assert.deepStrictEqual(out, outputs[name])
        assert.deepStrictEqual(err, [])
      })
    )
  }

  it("are all in the list", () => {
    const files = fs.readdirSync(new URL("../examples", import.meta.url)).filter((file) => file.endsWith(".ts"))
    assert.sameMembers(
      [...names, "run"],
      files.map((file) => file.slice(0, -3))
    )
  })

  it("are there for every function that makes a request", () => {
    const modules = { Registry, Manifests, Blobs, Uploads, Tags, Referrers, Catalog }
    const functions = Object.entries(modules).flatMap(([module, exports]) =>
      Object.keys(exports)
        .filter((name) => /^[a-z]/.test(name))
        .map((name) => `${module}-${name.replace(/[A-Z]/g, "-$&")}`.toLowerCase())
    )
    assert.includeMembers(
      names,
      // these make none: uploads-resume shows how an upload is saved
      functions.filter((name) => !["referrers-tag", "uploads-save"].includes(name))
    )
  })

  it.effect("are listed, each with its description", () =>
    Effect.gen(function* () {
      const { out } = yield* printed(Runner.run([]))
      for (const name of names)
        assert.match(out.find((line) => line.startsWith(`  ${name} `)) ?? "", /^ {2}\S+ +\S.*\S$/)
    })
  )
})

/** A registry whose certificate nobody trusts who is not told to, and a file with the authority that signed it. */
const overTls = RegistryServer.layerHttp({ seed: { "org/app:1.2": {} } }).pipe(
  Layer.provideMerge(NodeHttpServer.layer(() => https.createServer(Certificate.signed), { port: 0, host: "127.0.0.1" }))
)

const authority = Effect.map(temporary, (folder) => {
  const file = path.join(folder, "ca.pem")
  fs.writeFileSync(file, Certificate.authority)
  return file
})

describe("pnpm example", () => {
  it.effect("shows the requests with -v, one line each, on the error stream", () =>
    Effect.gen(function* () {
      const { err } = yield* printed(Runner.run(["--", "manifests-exists", "-v"]))
      assert.deepStrictEqual(err, [
        "HEAD https://registry.test/v2/org/app/manifests/1.2 200 0 ms",
        "HEAD https://registry.test/v2/org/app/manifests/no-such-tag 404 0 ms"
      ])
    })
  )

  it.effect("gives parsers the text", () =>
    Effect.gen(function* () {
      const { out } = yield* printed(Runner.run(["parse-registry", "[::1]:5000"]))
      assert.deepStrictEqual(out, ["name: [::1]:5000", "Docker Hub: false", "API at: [::1]:5000", "this machine: true"])
    })
  )

  it.scopedLive("asks a registry over TLS with --ca FILE or --insecure, and not without", () =>
    Effect.gen(function* () {
      const { address } = yield* HttpServer.HttpServer
      assert(address._tag === "TcpAddress")
      const head = ["manifests-head", `https://127.0.0.1:${address.port}/org/app:1.2`]
      for (const options of [["--ca", yield* authority], ["--insecure"]]) {
        const { err, out } = yield* printed(Runner.run([...head, ...options]))
        assert.strictEqual(out[0], "sha256:…")
        assert.deepStrictEqual(err, [])
      }
      const error = yield* Effect.flip(printed(Runner.run(head)))
      assert.include(error.message, "UNABLE_TO_VERIFY_LEAF_SIGNATURE")
    }).pipe(Effect.provide(overTls))
  )

  it.scopedLive("says so when the file of --ca is not there", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        printed(Runner.run(["manifests-head", "https://127.0.0.1:1/org/app", "--ca", "/no/such/ca.pem"]))
      )
      assert.include(error.message, "/no/such/ca.pem")
    })
  )

  for (const [args, message] of [
    [["blobs-gte"], "no example is called blobs-gte; pnpm example lists them"],
    [["constructor"], "no example is called constructor; pnpm example lists them"],
    [["blobs-get", "a", "b", "c"], "too many arguments: b c"],
    [["blobs-get", "--force"], "Unknown option '--force'"],
    [["blobs-get", "ghcr.io/ORG"], "invalid reference “ghcr.io/ORG”: its repository has capital letters"]
  ] as const) {
    it.effect(`refuses ${args.join(" ")}`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(printed(Runner.run(args)))
        assert.include(error.message, message)
      })
    )
  }
})
