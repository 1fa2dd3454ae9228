import * as fs from "node:fs/promises"
import type * as http from "node:http"
import type { LookupFunction } from "node:net"
import * as os from "node:os"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as NodeHttp from "@effect-oci/node/NodeHttp"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Blobs from "effect-oci/Blobs"
import * as OriginPolicy from "effect-oci/OriginPolicy"
import * as RegistryAuth from "effect-oci/RegistryAuth"
import * as RegistryError from "effect-oci/RegistryError"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as Repository from "effect-oci/Repository"
import * as Certificate from "./certificate.js"
import { client, digest, type Loopback, serve } from "./support.js"

const blob: http.RequestListener = (_, response) => response.setHeader("content-length", 2).end("{}")

const portOf = ({ host }: Loopback) => host.split(":")[1]

/** Every name is this machine. */
const here: LookupFunction = (_, options, callback) =>
  options.all === true ? callback(null, [{ address: "127.0.0.1", family: 4 }]) : callback(null, "127.0.0.1", 4)

const get = (registry: string, options: NodeHttp.Options = {}, hosts: RegistryHosts.Table = {}) =>
  Effect.flatMap(Repository.parse(`https://${registry}/org/app`), (repository) => Blobs.get(repository, digest)).pipe(
    Effect.provide(client(NodeHttp.layerWith({ certificates: [], lookup: here, ...options }))),
    Effect.provide(RegistryHosts.fromRecord(hosts))
  )

const codeOf = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(self), (error) => (RegistryError.isCallError(error) && "code" in error ? error.code : error))

const directory = Effect.acquireRelease(
  Effect.promise(() => fs.mkdtemp(path.join(os.tmpdir(), "effect-oci-certs-"))),
  (name) => Effect.promise(() => fs.rm(name, { recursive: true }))
)

const put = (files: { readonly [name: string]: string }, ...parts: ReadonlyArray<string>) =>
  Effect.promise(async () => {
    await fs.mkdir(path.join(...parts), { recursive: true })
    for (const [name, text] of Object.entries(files)) await fs.writeFile(path.join(...parts, name), text)
  })

const strangers = "UNABLE_TO_VERIFY_LEAF_SIGNATURE"

describe("NodeHttp, TLS by host", () => {
  it.scopedLive("S57 trusts an authority for the host that it is given for, and for no other", () =>
    Effect.gen(function* () {
      const server = yield* serve(blob, Certificate.signed)
      const tls = { [`registry.test:${portOf(server)}`]: { ca: Certificate.authority } }
      yield* get(`registry.test:${portOf(server)}`, { tls })
      assert.strictEqual(yield* codeOf(get(`cdn.test:${portOf(server)}`, { tls })), strangers)
      assert.strictEqual(server.requests.length, 1)
    })
  )

  it.scopedLive("S57 shows its certificate to the host that it is given for, and to no other", () =>
    Effect.gen(function* () {
      const server = yield* serve(blob, {
        ...Certificate.signed,
        ca: Certificate.authority,
        requestCert: true,
        rejectUnauthorized: true
      })
      const { authority: ca } = Certificate
      const tls = {
        [`registry.test:${portOf(server)}`]: { ca, ...Certificate.client },
        [`cdn.test:${portOf(server)}`]: { ca }
      }
      yield* get(`registry.test:${portOf(server)}`, { tls })
      yield* Effect.flip(get(`cdn.test:${portOf(server)}`, { tls }))
      assert.strictEqual(server.requests.length, 1)
    })
  )

  it.scopedLive("S57 takes any certificate of an insecure host, and of none that it redirects to", () =>
    Effect.gen(function* () {
      const storage = yield* serve(blob, Certificate.signed)
      const registry = yield* serve(
        (_, response) => response.writeHead(307, { location: `https://cdn.test:${portOf(storage)}/blob` }).end(),
        Certificate.signed
      )
      const name = `registry.test:${portOf(registry)}`
      assert.strictEqual(yield* codeOf(get(name)), strangers)
      assert.strictEqual(yield* codeOf(get(name, {}, { [name]: { insecure: true } })), strangers)
      assert.strictEqual(registry.requests.length, 1)
      assert.strictEqual(storage.requests.length, 0)
      yield* get(`cdn.test:${portOf(storage)}`, {}, { [`cdn.test:${portOf(storage)}`]: { insecure: true } })
    })
  )

  it.scopedLive("reads the files that RegistryHosts names, for one call alone where they are given to it", () =>
    Effect.gen(function* () {
      const server = yield* serve(blob, Certificate.signed)
      const home = yield* directory
      yield* put({ "ca.pem": Certificate.authority }, home)
      const repository = yield* Repository.parse(`https://registry.test:${portOf(server)}/org/app`)
      const trusting = RegistryHosts.fromRecord({
        [repository.registry.toString()]: { tls: { ca: [path.join(home, "ca.pem")] } }
      })
      yield* Effect.gen(function* () {
        yield* Effect.provide(Blobs.get(repository, digest), trusting)
        assert.strictEqual(yield* codeOf(Blobs.get(repository, digest)), strangers)
      }).pipe(Effect.provide(client(NodeHttp.layerWith({ certificates: [], lookup: here }))))
    })
  )

  it.scopedLive(
    "finds a host's authorities and our certificate where containers' tools do, the first folder counts",
    () =>
      Effect.gen(function* () {
        const server = yield* serve(blob, {
          ...Certificate.signed,
          ca: Certificate.authority,
          requestCert: true,
          rejectUnauthorized: true
        })
        const [first, second] = [yield* directory, yield* directory]
        const name = `registry.test:${portOf(server)}`
        yield* put({ "ca.crt": Certificate.cert }, second, name)
        yield* put(
          {
            "ca.crt": Certificate.authority,
            "client.cert": Certificate.client.cert,
            "client.key": Certificate.client.key
          },
          first,
          name
        )
        yield* get(name, { certificates: [first, second] })
        assert.strictEqual(yield* codeOf(get(name, { certificates: [second, first] })), "SELF_SIGNED_CERT_IN_CHAIN")
        assert.strictEqual(
          yield* codeOf(get(`cdn.test:${portOf(server)}`, { certificates: [first] })),
          "SELF_SIGNED_CERT_IN_CHAIN"
        )
      })
  )

  it.scopedLive("a certificate without its key is a failure that says so, and lasts", () =>
    Effect.gen(function* () {
      const home = yield* directory
      yield* put({ "client.cert": Certificate.client.cert }, home, "registry.test")
      const error = yield* Effect.flip(get("registry.test", { certificates: [home] }))
      assert(error._tag === "TransportError")
      assert.include(error.message, "client.cert without client.key")
      assert.isFalse(RegistryError.isRetryable(error))
    })
  )
})

describe("NodeHttp, addresses", () => {
  /** The registry's name is one address, every other name another one; nobody listens at the first two. */
  const names =
    (registry: string, others: string, asked: Array<string> = []): LookupFunction =>
    (hostname, options, callback) => {
      asked.push(hostname)
      const address = hostname === "registry.test" ? registry : others
      return options.all === true
        ? callback(null, [{ address, family: address.includes(":") ? 6 : 4 }])
        : callback(null, address, 4)
    }

  /** The first answer brings us to the registry; then its name is what it is to everyone. All others are this machine. */
  const onlyFirst = (): LookupFunction => {
    let first = true
    return (hostname, options, callback) => {
      const found = names(first ? "127.0.0.1" : "198.51.100.1", "127.0.0.1")
      first = false
      return found(hostname, options, callback)
    }
  }

  /** A registry whose blobs are at another name. */
  const redirecting = () =>
    Effect.gen(function* () {
      const storage = yield* serve(blob)
      const registry = yield* serve((_, response) =>
        response.writeHead(307, { location: `http://cdn.test:${portOf(storage)}/blob` }).end()
      )
      return { storage, registry }
    })

  const pull = (
    registry: Loopback,
    lookup: LookupFunction,
    policy: Layer.Layer<OriginPolicy.OriginPolicy> | undefined
  ) =>
    Effect.flatMap(Repository.parse(`http://registry.test:${portOf(registry)}/org/app`), (repository) =>
      Blobs.get(repository, digest)
    ).pipe(
      Effect.provide(client(NodeHttp.layerWith({ lookup }))),
      Effect.provide(policy ?? OriginPolicy.layerStrict),
      Effect.either
    )

  it.scopedLive("S12 S49 goes where a registry of this machine sends it on this machine", () =>
    Effect.gen(function* () {
      const { registry, storage } = yield* redirecting()
      const result = yield* pull(registry, names("127.0.0.1", "127.0.0.1"), undefined)
      assert.strictEqual(result._tag, "Right")
      assert.strictEqual(storage.requests.length, 1)
    })
  )

  for (const address of ["10.0.0.1", "169.254.169.254", "::ffff:10.0.0.1", "fe80::1"]) {
    it.scopedLive(`S12 S49 connects to no name that is ${address} where the registry is not`, () =>
      Effect.gen(function* () {
        const { registry } = yield* redirecting()
        const result = yield* pull(registry, names("127.0.0.1", address), undefined)
        assert(result._tag === "Left" && result.left._tag === "TransportError")
        assert.strictEqual(result.left.code, "ERR_UNSAFE_ADDRESS")
        assert.include(result.left.message, "where registry.test is not")
        assert.isFalse(RegistryError.isRetryable(result.left))
      })
    )
  }

  it.scopedLive("S49 does not connect to this machine for a registry that is public by then", () =>
    Effect.gen(function* () {
      const { registry, storage } = yield* redirecting()
      const result = yield* pull(registry, onlyFirst(), undefined)
      assert(result._tag === "Left" && result.left._tag === "TransportError")
      assert.strictEqual(result.left.code, "ERR_UNSAFE_ADDRESS")
      assert.strictEqual(storage.connections(), 0)
    })
  )

  it.scopedLive("S49 connects wherever a host is that the user trusts", () =>
    Effect.gen(function* () {
      const { registry, storage } = yield* redirecting()
      const trusting = Layer.orDie(OriginPolicy.layerTrusting([`cdn.test:${portOf(storage)}`]))
      assert.strictEqual((yield* pull(registry, onlyFirst(), trusting))._tag, "Right")
    })
  )

  describe("of token services", () => {
    /** A registry that gives blobs to those who have a token, and the service that it names for them. */
    const signingIn = () =>
      Effect.gen(function* () {
        const tokens = yield* serve((_, response) =>
          response.setHeader("content-type", "application/json").end(JSON.stringify({ token: "T" }))
        )
        const challenge = `Bearer realm="http://tokens.test:${portOf(tokens)}/token"`
        const registry = yield* serve((request, response) =>
          request.headers.authorization === "Bearer T"
            ? blob(request, response)
            : response.writeHead(401, { "www-authenticate": challenge }).end()
        )
        return { tokens, registry }
      })

    it.scopedLive("S49 S10 asks one on this machine for a registry of this machine", () =>
      Effect.gen(function* () {
        const { registry, tokens } = yield* signingIn()
        const result = yield* pull(registry, names("127.0.0.1", "127.0.0.1"), undefined).pipe(
          Effect.provide(RegistryAuth.layer)
        )
        assert.strictEqual(result._tag, "Right")
        assert.strictEqual(tokens.requests.length, 1)
      })
    )

    it.scopedLive("S49 S10 connects to none on this machine for a registry that is elsewhere", () =>
      Effect.gen(function* () {
        const { registry, tokens } = yield* signingIn()
        const result = yield* pull(registry, onlyFirst(), undefined).pipe(Effect.provide(RegistryAuth.layer))
        assert(result._tag === "Left" && result.left._tag === "TransportError")
        assert.strictEqual(result.left.code, "ERR_UNSAFE_ADDRESS")
        assert.include(result.left.message, "tokens.test is 127.0.0.1, a loopback address, where registry.test is not")
        assert.strictEqual(tokens.connections(), 0)
        assert.strictEqual(registry.requests.length, 1)
      })
    )
  })
})
