import { assert, describe, it } from "@effect/vitest"
import * as Script from "@effect-oci/registry/Script"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Credentials from "effect-oci/Credentials"
import * as Repository from "effect-oci/Repository"
import * as Tags from "effect-oci/Tags"
import { asks, basicOf, carries, listed } from "./support.js"

/** How a registry asks, and how its token service is asked for what. */
interface Shape {
  readonly name: string
  /** What a reader of docs/registries.md gives. */
  readonly as: Credentials.Credential
  /** A repository as users write it. */
  readonly repository: string
  /** Where its API is, when that is another host. */
  readonly api?: string
  readonly challenge: string
  /** The request for a token, without its scopes. */
  readonly token?: readonly [origin: string, target: string]
  readonly answer?: object
}

const basic = (username: string, password: string): Credentials.Credential => ({
  _tag: "Basic",
  username,
  password: Redacted.make(password)
})

const identity = (token: string): Credentials.Credential => ({ _tag: "IdentityToken", token: Redacted.make(token) })

const zeros = "00000000-0000-0000-0000-000000000000"

const gar = "europe-docker.pkg.dev"

const shapes: ReadonlyArray<Shape> = [
  {
    name: "Docker Hub",
    as: basic("me", "dckr_pat_s3cret"),
    repository: "docker.io/org/app",
    api: "registry-1.docker.io",
    challenge:
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:org/app:pull"',
    token: ["https://auth.docker.io", "/token?service=registry.docker.io"],
    answer: { token: "T", access_token: "T", expires_in: 300, issued_at: "2026-01-01T00:00:00Z" }
  },
  {
    name: "GitLab",
    as: basic("me", "glpat-s3cret"),
    repository: "registry.gitlab.com/org/app",
    challenge:
      'Bearer realm="https://gitlab.com/jwt/auth",service="container_registry",scope="repository:org/app:pull",error="invalid_token"',
    token: ["https://gitlab.com", "/jwt/auth?service=container_registry"],
    answer: { token: "T" }
  },
  {
    name: "A53 GitLab of one's own",
    as: basic("me", "glpat-s3cret"),
    repository: "registry.example.com/org/app",
    challenge:
      'Bearer realm="https://gitlab.example.com/jwt/auth",service="container_registry",scope="repository:org/app:pull"',
    token: ["https://gitlab.example.com", "/jwt/auth?service=container_registry"]
  },
  {
    name: "A26 GHCR",
    as: basic("me", "ghp_s3cret"),
    repository: "ghcr.io/org/app",
    challenge: 'Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:org/app:pull"',
    token: ["https://ghcr.io", "/token?service=ghcr.io"],
    answer: { token: "Z2hw" }
  },
  {
    name: "A51 ECR",
    as: basic("AWS", "a".repeat(2000)),
    repository: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/org/app",
    challenge: 'Basic realm="https://123456789012.dkr.ecr.eu-west-1.amazonaws.com/",service="ecr.amazonaws.com"'
  },
  {
    name: "ECR Public",
    as: basic("AWS", "s3cret"),
    repository: "public.ecr.aws/org/app",
    challenge: 'Bearer realm="https://public.ecr.aws/token/",service="public.ecr.aws",scope="aws"',
    token: ["https://public.ecr.aws", "/token/?service=public.ecr.aws"],
    answer: { token: "T", expires_in: 3600 }
  },
  {
    name: "A50 ACR with a service principal",
    as: basic("5f3c9a52-principal", "s3cret"),
    repository: "myregistry.azurecr.io/org/app",
    challenge:
      'Bearer realm="https://myregistry.azurecr.io/oauth2/token",service="myregistry.azurecr.io",scope="repository:org/app:pull"',
    token: ["https://myregistry.azurecr.io", "/oauth2/token?service=myregistry.azurecr.io"],
    answer: { access_token: "T" }
  },
  {
    name: "A50 ACR with a refresh token as the password",
    as: basic(zeros, "r3fresh"),
    repository: "myregistry.azurecr.io/org/app",
    challenge:
      'Bearer realm="https://myregistry.azurecr.io/oauth2/token",service="myregistry.azurecr.io",scope="repository:org/app:pull"',
    token: ["https://myregistry.azurecr.io", "/oauth2/token?service=myregistry.azurecr.io"],
    answer: { access_token: "T" }
  },
  {
    name: "A52 GAR with a service account's key",
    as: basic("_json_key", JSON.stringify({ type: "service_account", private_key: "-----BEGIN\nab:c\n" })),
    repository: `${gar}/project/org/app`,
    challenge: `Bearer realm="https://${gar}/v2/token",service="${gar}",scope="repository:project/org/app:pull"`,
    token: [`https://${gar}`, `/v2/token?service=${gar}`]
  },
  {
    name: "A52 GCR with an access token",
    as: basic("oauth2accesstoken", "ya29.s3cret"),
    repository: "gcr.io/project/app",
    challenge: 'Bearer realm="https://gcr.io/v2/token",service="gcr.io",scope="repository:project/app:pull"',
    token: ["https://gcr.io", "/v2/token?service=gcr.io"]
  },
  {
    name: "A56 Quay with a robot",
    as: basic("org+robot", "s3cret"),
    repository: "quay.io/org/app",
    challenge: 'Bearer realm="https://quay.io/v2/auth",service="quay.io",scope="repository:org/app:pull"',
    token: ["https://quay.io", "/v2/auth?service=quay.io"],
    answer: { token: "T" }
  },
  {
    name: "A55 Harbor with a robot",
    as: basic("robot$org+app", "s3cret"),
    repository: "harbor.example.com/org/app",
    challenge:
      'Bearer realm="https://harbor.example.com/service/token",service="harbor-registry",scope="repository:org/app:pull"',
    token: ["https://harbor.example.com", "/service/token?service=harbor-registry"],
    answer: { token: "T", access_token: "", expires_in: 1800 }
  },
  {
    name: "S10 Harbor on a private address",
    as: basic("me", "s3cret"),
    repository: "10.0.0.5/org/app",
    challenge:
      'Bearer realm="https://10.0.0.5/service/token",service="harbor-registry",scope="repository:org/app:pull"',
    token: ["https://10.0.0.5", "/service/token?service=harbor-registry"]
  },
  {
    name: "A56 NVIDIA",
    as: basic("$oauthtoken", "nvapi-s3cret"),
    repository: "nvcr.io/org/app",
    challenge: 'Bearer realm="https://nvcr.io/proxy_auth",service="nvcr.io",scope=repository:org/app:pull',
    token: ["https://nvcr.io", "/proxy_auth?service=nvcr.io"]
  },
  {
    name: "NVIDIA's other realm",
    as: basic("$oauthtoken", "nvapi-s3cret"),
    repository: "nvcr.io/org/app",
    challenge: 'Bearer realm="https://authn.nvidia.com/token",service="registry",scope="repository:org/app:pull"',
    token: ["https://authn.nvidia.com", "/token?service=registry"]
  },
  {
    name: "A54 Gitea and Forgejo",
    as: basic("me", "s3cret"),
    repository: "gitea.example.com/org/app",
    challenge: 'Bearer realm="https://gitea.example.com/v2/token",service="container_registry",scope="*"',
    token: ["https://gitea.example.com", "/v2/token?service=container_registry"],
    answer: { token: "T" }
  },
  {
    name: "A12 Artifactory",
    as: basic("me", "s3cret"),
    repository: "jfrog.example.com/docker/app",
    challenge:
      'Bearer realm="https://jfrog.example.com:443/artifactory/api/docker/docker/v2/token",service="jfrog.example.com:443"',
    token: ["https://jfrog.example.com", "/artifactory/api/docker/docker/v2/token?service=jfrog.example.com%3A443"],
    answer: { token: "T", expires_in: 3600 }
  },
  {
    name: "A4 Nexus",
    as: basic("me", "s3cret"),
    repository: "nexus.example.com:8443/org/app",
    challenge: 'BASIC realm="Sonatype Nexus Repository Manager"'
  },
  {
    name: "A31 a login that Docker has kept",
    as: identity("id3ntity"),
    repository: "docker.io/org/app",
    api: "registry-1.docker.io",
    challenge:
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:org/app:pull"',
    token: ["https://auth.docker.io", "/token"],
    answer: { access_token: "T", expires_in: 300 }
  }
]

const play = ({ answer, api, as, challenge, repository, token }: Shape) => {
  const at = Either.getOrThrow(Repository.parse(repository))
  const registry = Script.on(`https://${api ?? repository.slice(0, repository.indexOf("/"))}`)
  const path = `/v2/${at.name}/tags/list`
  const secret = as._tag === "Basic" ? Redacted.value(as.password) : Redacted.value(as.token)
  const header = as._tag === "Basic" ? basicOf(as.username, secret) : undefined
  const words = /scope="(\*|aws)"/.exec(challenge)?.[1]
  const scopes = [`repository:${at.name}:pull`, ...(words === undefined ? [] : [words])]
  const query = scopes.map((scope) => `&scope=${encodeURIComponent(scope)}`).join("")
  const asked = registry.expect("GET", path, carries(undefined)).answer(401, asks(challenge))
  const lines =
    token === undefined
      ? [asked, registry.expect("GET", path, carries(header)).answer(200, listed).times(2)]
      : [
          Script.secret(secret, { onlyTo: [token[0]] }),
          asked,
          header === undefined
            ? Script.on(token[0])
                .expect("POST", token[1], { body: postOf(challenge, scopes, secret) })
                .answer(200, { json: answer })
            : Script.on(token[0])
                .expect("GET", `${token[1]}${query}`, carries(header))
                .answer(200, { json: answer ?? { token: "T", expires_in: 300 } }),
          registry
            .expect("GET", path, carries(/^Bearer /))
            .answer(200, listed)
            .times(2)
        ]
  const credentials = Layer.succeed(Credentials.Credentials, { lookup: () => Effect.succeedSome(as) })
  return Effect.gen(function* () {
    assert.deepStrictEqual((yield* Tags.list(at)).tags, ["1.2"])
    yield* Tags.list(at)
  }).pipe(
    Script.withoutLeaks([secret, ...(header === undefined ? [] : [header])]),
    Effect.provide(credentials),
    Effect.provide(Script.layerTest(...lines))
  )
}

const postOf = (challenge: string, scopes: ReadonlyArray<string>, secret: string) =>
  new URLSearchParams({
    grant_type: "refresh_token",
    service: /service="([^"]+)"/.exec(challenge)?.[1] ?? "",
    client_id: "effect-oci",
    scope: scopes.join(" "),
    refresh_token: secret
  }).toString()

describe("RegistryAuth, registries", () => {
  for (const shape of shapes) {
    it.effect(`${shape.name}: signs in with the defaults, and leaves no secret behind`, () => play(shape))
  }
})
