import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as ImageConfig from "effect-oci/ImageConfig"
import * as MediaType from "effect-oci/MediaType"

const bytes = (document: unknown) =>
  new TextEncoder().encode(typeof document === "string" ? document : JSON.stringify(document))

const read = (document: unknown) => Either.getOrThrow(ImageConfig.oci.decode(bytes(document)))

const reason = (result: Either.Either<unknown, Error>) => (Either.isLeft(result) ? result.left.message : "")

const layer = `sha256:${"a".repeat(64)}`

const whole: object = {
  created: "2015-10-31T22:22:56.015925234Z",
  author: "Alyssa P. Hacker <alyspdev@example.com>",
  architecture: "amd64",
  os: "linux",
  "os.version": "1",
  "os.features": ["a"],
  variant: "v2",
  config: {
    User: "alice",
    ExposedPorts: { "8080/tcp": {} },
    Env: ["PATH=/bin", "FOO="],
    Entrypoint: ["/bin/my-app"],
    Cmd: ["--foreground"],
    Volumes: { "/var/log": {} },
    WorkingDir: "/home/alice",
    Labels: { "com.example.a": "b", A: "1", a: "2" },
    StopSignal: "SIGTERM",
    Shell: ["/bin/sh", "-c"]
  },
  rootfs: { type: "layers", diff_ids: [layer] },
  history: [
    { created: "2015-10-31T22:22:54.690851953Z", created_by: "ADD file", author: "x", comment: "y" },
    { created_by: "CMD", empty_layer: true }
  ]
}

describe("ImageConfig", () => {
  it("IS20 reads what the specification names", () => {
    assert.deepStrictEqual(read(whole), whole)
  })

  it("IS47 keeps fields it does not know, at every level", () => {
    const document: object = {
      ...whole,
      docker_version: "1",
      config: { Healthcheck: { Test: ["NONE"] }, ArgsEscaped: true },
      rootfs: { type: "layers", diff_ids: [], base: 1 },
      history: [{ more: null }]
    }
    assert.deepStrictEqual(read(document), document)
    assert.deepStrictEqual(Schema.encodeUnknownSync(ImageConfig.ImageConfig)(read(document)), document)
  })

  it("M13 takes null for absent", () => {
    const config = { User: "", Env: null, Cmd: null, Entrypoint: null, Labels: null, Volumes: null, ExposedPorts: null }
    assert.deepStrictEqual(read({ ...whole, config, author: null, history: null }), {
      ...read({ ...whole, config: { User: "" }, author: undefined, history: undefined })
    })
    assert.isUndefined(read({ ...whole, config: null }).config)
    assert.deepStrictEqual(read({ ...whole, rootfs: { type: "layers", diff_ids: null } }).rootfs.diff_ids, [])
  })

  it("M21 reads an artifact's config that borrows the type", () => {
    assert.deepStrictEqual(read({}), { architecture: "", os: "", rootfs: { type: "layers", diff_ids: [] } })
  })

  it("reads a command that is one string, as Docker wrote once", () => {
    assert.deepStrictEqual(read({ config: { Cmd: "sh", Entrypoint: "" } }).config, { Cmd: ["sh"], Entrypoint: [""] })
  })

  it.each<[string, unknown, string]>([
    ["S5 a diff id that is no digest", { rootfs: { diff_ids: [layer, "sha256:../x"] } }, '["diff_ids"]'],
    ["a label that is a number", { config: { Labels: { a: 1 } } }, '["Labels"]'],
    ["environment that is a map", { config: { Env: { A: "b" } } }, '["Env"]'],
    ["a list", [], "Expected ImageConfig"],
    ["null", "null", "Expected ImageConfig"],
    ["S20 a key twice", '{"os":"linux","os":"windows"}', 'the key "os" twice']
  ])("refuses %s", (_, document, expected) => {
    assert.include(reason(ImageConfig.oci.decode(bytes(document))), expected)
  })

  it("S46 is not polluted by labels", () => {
    const { config } = read('{"config":{"Labels":{"__proto__":"x","constructor":"y"}}}')
    assert.deepStrictEqual(Object.entries(config?.Labels ?? {}), [["constructor", "y"]])
    assert.strictEqual(Object.getPrototypeOf(config?.Labels), Object.prototype)
  })

  it("is the same under Docker's name", () => {
    assert.strictEqual(ImageConfig.oci.name, MediaType.ociConfig)
    assert.strictEqual(ImageConfig.docker.name, MediaType.dockerConfig)
    assert.deepStrictEqual(Either.getOrThrow(ImageConfig.docker.decode(bytes(whole))), read(whole))
  })

  it("reads a Helm chart's config", () => {
    const chart: object = { name: "app", version: "1.2.3", apiVersion: "v2", type: "application", keywords: ["web"] }
    assert.strictEqual(ImageConfig.helm.name, MediaType.helmConfig)
    assert.deepStrictEqual(Either.getOrThrow(ImageConfig.helm.decode(bytes(chart))), chart)
    assert.include(reason(ImageConfig.helm.decode(bytes({ name: "app" }))), '["version"]')
  })

  it("M22 reads an empty config, and only that", () => {
    assert.strictEqual(ImageConfig.empty.name, MediaType.ociEmpty)
    assert.deepStrictEqual(Either.getOrThrow(ImageConfig.empty.decode(bytes("{}"))), {})
    for (const other of ['{"a":1}', "[]", "1", "null", ""]) {
      assert.isTrue(Either.isLeft(ImageConfig.empty.decode(bytes(other))), other)
    }
  })
})
