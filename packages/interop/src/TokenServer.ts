/**
 * A token server as registries want one: it signs in accounts, and says in a signed JWT what they may do.
 * https://distribution.github.io/distribution/spec/auth/jwt/
 */
import { createHash, createPublicKey, randomUUID, sign, X509Certificate } from "node:crypto"
import { createServer } from "node:http"
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpServer from "@effect/platform/HttpServer"
import type { ServeError } from "@effect/platform/HttpServerError"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as Layer from "effect/Layer"
import * as Accounts from "./Accounts.js"
import { Certificates } from "./Certificates.js"

export interface Options {
  /** How the key of a token is found: in a certificate that comes with it, or by its name in a file of the registry's. */
  readonly key: "x5c" | "kid"
  /** How many seconds a registry takes a token. */
  readonly seconds: number
  /** Leaves it to the client to find out. */
  readonly untold?: boolean
}

/** One request for a token. */
export interface Asked {
  readonly username: string | undefined
  readonly scopes: ReadonlyArray<string>
  /** Whether it was signed in by a refresh token. */
  readonly refreshed: boolean
}

export interface Service {
  /** What a registry of distribution's kind has to be told: `auth` in its configuration. */
  readonly auth: object
  /** What has been asked for, in its order. */
  readonly asked: ReadonlyArray<Asked>
}

export class TokenServer extends Context.Tag("@effect-oci/interop/TokenServer")<TokenServer, Service>() {}

const service = "effect-oci tests"
const issuer = "effect-oci token server"

/** A refresh token of an account, Docker's `identitytoken`. */
export const identityToken = ({ username }: Accounts.Account): string => `identity-${username}`

/** Registries take a token for so much longer than it says, since clocks differ. */
const leeway = 60

const base64url = (value: object) => Encoding.encodeBase64Url(JSON.stringify(value))

/** What of a scope (`repository:org/app:pull,push`) an account may do. */
const granted = (account: Accounts.Account | undefined, scope: string) => {
  const [, type = "", name = "", actions = ""] = /^(\w+):(.*):([^:]*)$/.exec(scope) ?? []
  return { type, name, actions: actions.split(",").filter((action) => account?.actions.includes(action)) }
}

/** The account that a request signs in as, `null` if it cannot. */
const signedIn = (header: string | undefined, refreshToken: string | null): Accounts.Account | undefined | null => {
  if (header === undefined && refreshToken === null) return undefined
  const same = (account: Accounts.Account) =>
    refreshToken === null
      ? header === `Basic ${Encoding.encodeBase64(`${account.username}:${account.password}`)}`
      : refreshToken === identityToken(account)
  return Accounts.all.find(same) ?? null
}

const make = (options: Options) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const { ca, tokens } = yield* Certificates
    const key = yield* fs.readFileString(tokens.key)
    const certificate = new X509Certificate(yield* fs.readFileString(tokens.cert))
    const jwk = createPublicKey(key).export({ format: "jwk" })
    const kid = createHash("sha256").update(JSON.stringify(jwk)).digest("base64url")
    const header = {
      typ: "JWT",
      alg: "ES256",
      ...(options.key === "x5c" ? { x5c: [certificate.raw.toString("base64")] } : { kid })
    }
    const asked: Array<Asked> = []

    const token = (account: Accounts.Account | undefined, scopes: ReadonlyArray<string>, now: number) => {
      const claims = {
        iss: issuer,
        sub: account?.username ?? "",
        aud: service,
        iat: now,
        nbf: now,
        exp: now + options.seconds - leeway,
        jti: randomUUID(),
        access: scopes.map((scope) => granted(account, scope))
      }
      const signed = `${base64url(header)}.${base64url(claims)}`
      const signature = sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" })
      return `${signed}.${signature.toString("base64url")}`
    }

    const answer = Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      const url = new URL(request.url, "http://127.0.0.1")
      if (url.pathname !== "/token") return HttpServerResponse.empty({ status: 404 })
      const posted = request.method === "POST" ? new URLSearchParams(yield* request.text) : undefined
      const refreshToken = posted?.get("refresh_token") ?? null
      const account = signedIn(request.headers.authorization, refreshToken)
      const parameters = posted ?? url.searchParams
      if (account === null || parameters.get("service") !== service) {
        return HttpServerResponse.empty({ status: 401 })
      }
      const scopes = parameters.getAll("scope").flatMap((scope) => scope.split(" "))
      asked.push({ username: account?.username, scopes, refreshed: refreshToken !== null })
      const now = Math.floor((yield* Clock.currentTimeMillis) / 1000)
      return yield* HttpServerResponse.json({
        [posted === undefined ? "token" : "access_token"]: token(account, scopes, now),
        ...(options.untold === true
          ? {}
          : { expires_in: options.seconds, issued_at: new Date(now * 1000).toISOString() }),
        ...(account !== undefined && parameters.get("offline_token") === "true"
          ? { refresh_token: identityToken(account) }
          : {})
      })
    })

    const server = yield* Layer.build(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" }))
    const realm = yield* HttpServer.serveEffect(answer).pipe(
      Effect.zipRight(HttpServer.addressFormattedWith((address) => Effect.succeed(`${address}/token`))),
      Effect.provide(server)
    )
    const jwks = `${yield* fs.makeTempDirectoryScoped()}/jwks.json`
    yield* fs.writeFileString(jwks, JSON.stringify({ keys: [{ ...jwk, kid, use: "sig", alg: "ES256" }] }))
    const auth = { token: { realm, service, issuer, ...(options.key === "x5c" ? { rootcertbundle: ca } : { jwks }) } }
    return { auth, asked }
  })

/** A token server on a free port. */
export const layer = (
  options: Options
): Layer.Layer<TokenServer, ServeError | PlatformError, Certificates | FileSystem.FileSystem> =>
  Layer.scoped(TokenServer, make(options))
