import { assert, describe, it } from "@effect/vitest"
import * as Script from "@effect-oci/registry/Script"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Blobs from "effect-oci/Blobs"
import * as Catalog from "effect-oci/Catalog"
import * as Manifests from "effect-oci/Manifests"
import * as Referrers from "effect-oci/Referrers"
import * as Registry from "effect-oci/Registry"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as Repository from "effect-oci/Repository"
import * as Tags from "effect-oci/Tags"
import * as Uploads from "effect-oci/Uploads"
import { digest, reference, registry, repository } from "../support.js"
import {
  asks,
  bearer,
  carries,
  grants,
  list,
  listed,
  me,
  mine,
  playing,
  pull,
  service,
  tagsPath,
  tokenFor
} from "./support.js"

const same = Script.on("https://registry.test")

const push = "repository:org/app:pull,push"

const uploads = "/v2/org/app/blobs/uploads/"

const source = Either.getOrThrow(Repository.parse("registry.test/org/source"))

const manifest = `/v2/org/app/manifests/${digest}`

/** The scopes that a challenge leads to. */
const leadsTo = (title: string, challenged: string | undefined, ...scopes: ReadonlyArray<string>) =>
  it.effect(title, () =>
    list.pipe(
      playing(
        same.expect("GET", tagsPath).answer(401, asks(bearer(challenged))),
        service.expect("GET", tokenFor(...scopes)).answer(200, grants()),
        same.expect("GET", tagsPath, carries("Bearer T")).answer(200, listed)
      )
    )
  )

describe("RegistryAuth, scopes", () => {
  describe("of a challenge", () => {
    leadsTo(
      "A18 what is needed, whoever is named first",
      "repository:other/b:pull repository:org/app:pull",
      pull,
      "repository:other/b:pull"
    )
    leadsTo("A19 an empty scope is not sent", "", pull)
    leadsTo("A19 a scope of spaces is not sent", "  ", pull)
    leadsTo("A19 a star is passed on beside what is needed", "*", pull, "*")
    leadsTo("A19 an unknown word is passed on beside what is needed", "aws", pull, "aws")
    leadsTo("A34 what the request needs comes first", `registry:catalog:* ${pull}`, pull, "registry:catalog:*")
    leadsTo("A35 actions are sorted, none twice", "repository:org/app:push,pull,pull", push)
    leadsTo("A35 pull comes with push", "repository:org/app:push", push)
    leadsTo("A35 a star is all actions", "repository:org/app:delete,*", "repository:org/app:*")
    leadsTo("A35 a resource comes once", `${pull} repository:org/app:push ${pull}`, push)
    leadsTo("A35 colons in a name are not actions", "repository:host:5000/a:pull", pull, "repository:host:5000/a:pull")
    leadsTo("A35 no actions are no scope", "repository:org/app:", pull)
    leadsTo("A35 unknown kinds stay as they are", "image:b,a:z,y", pull, "image:b,a:z,y")
    leadsTo("A49 a class stays as it is", "repository(plugin):a/b:pull", pull, "repository(plugin):a/b:pull")
  })

  it.effect("A18 the placeholder of a registry's root is not asked for", () =>
    Registry.ping(registry).pipe(
      playing(
        same.expect("GET", "/v2/").answer(401, asks(bearer("repository:user/image:pull"))),
        service.expect("GET", tokenFor()).answer(200, grants()),
        same.expect("GET", "/v2/", carries("Bearer T")).answer(200)
      )
    )
  )

  it.effect("A19 a word that stands for everything goes with the next request at once", () =>
    Effect.zipRight(list, Tags.list(source)).pipe(
      playing(
        same.expect("GET", tagsPath).answer(401, asks(bearer("*"))),
        service.expect("GET", tokenFor(pull, "*")).answer(200, grants()),
        same.expect("GET", tagsPath, carries("Bearer T")).answer(200, listed),
        service.expect("GET", tokenFor("repository:org/source:pull", "*")).answer(200, grants("T2")),
        same.expect("GET", "/v2/org/source/tags/list", carries("Bearer T2")).answer(200, listed)
      )
    )
  )

  describe("A37 a token of too little", () => {
    const short = bearer("repository:org/app:pull,push", ',error="insufficient_scope"')

    for (const status of [401, 403]) {
      it.effect(`A37 refused with ${status}: all that it had and all that is asked for, once`, () =>
        Effect.zipRight(list, list).pipe(
          playing(
            same.expect("GET", tagsPath).answer(401, asks(bearer(`${pull} registry:catalog:*`))),
            service.expect("GET", tokenFor(pull, "registry:catalog:*")).answer(200, grants()),
            same.expect("GET", tagsPath, carries("Bearer T")).answer(200, listed),
            same.expect("GET", tagsPath, carries("Bearer T")).answer(status, asks(short, "DENIED")),
            service.expect("GET", tokenFor(push, "registry:catalog:*")).answer(200, grants("T2")),
            same.expect("GET", tagsPath, carries("Bearer T2")).answer(200, listed)
          )
        )
      )
    }

    it.effect("A37 refused again: the answer stands", () =>
      Effect.gen(function* () {
        yield* list
        const error = yield* Effect.flip(list)
        assert(error._tag === "Unauthorized")
        assert.strictEqual(error.errors[0]?.code, "DENIED")
      }).pipe(
        Effect.provide(me),
        playing(
          same.expect("GET", tagsPath).answer(401, asks(bearer(pull))),
          service.expect("GET", tokenFor(pull)).answer(200, grants()),
          same.expect("GET", tagsPath, carries("Bearer T")).answer(200, listed),
          same.expect("GET", tagsPath, carries("Bearer T")).answer(401, asks(short, "DENIED")),
          service.expect("GET", tokenFor(push)).answer(200, grants("T2")),
          same.expect("GET", tagsPath, carries("Bearer T2")).answer(401, asks(short, "DENIED"))
        )
      )
    )
  })

  describe("of an operation", () => {
    const session = same
      .expect("POST", uploads, carries("Bearer T"))
      .answer(202, { headers: { location: `${uploads}1` } })
    const toPush = [
      same.expect("POST", uploads, carries(undefined)).answer(401, asks(bearer())),
      service.expect("GET", tokenFor(push)).answer(200, grants()),
      session
    ]

    it.effect("A44 all of a push goes with one token, and so do its questions", () =>
      Effect.gen(function* () {
        const begun = yield* Uploads.start(repository)
        yield* Uploads.status(begun)
        yield* Uploads.finish(yield* Uploads.patch(begun, new Uint8Array([123])), digest, new Uint8Array([125]))
        assert.isTrue(yield* Blobs.exists(repository, digest))
        yield* Effect.ignore(Manifests.head(reference))
        yield* list
      }).pipe(
        playing(
          ...toPush,
          same.expect("GET", `${uploads}1`, carries("Bearer T")).answer(204, { headers: { range: "0-0" } }),
          same.expect("PATCH", `${uploads}1`, carries("Bearer T")).answer(202, { headers: { range: "0-0" } }),
          same
            .expect("PUT", `${uploads}1?digest=${encodeURIComponent(digest)}`, carries("Bearer T"))
            .answer(201, { headers: { location: "/" } }),
          same
            .expect("HEAD", `/v2/org/app/blobs/${digest}`, carries("Bearer T"))
            .answer(200, { headers: { "content-length": "2" } }),
          same.expect("HEAD", "/v2/org/app/manifests/1.2", carries("Bearer T")).answer(404),
          same.expect("GET", tagsPath, carries("Bearer T")).answer(200, listed)
        )
      )
    )

    it.effect("A44 a token to pull is not enough to push", () =>
      Effect.zipRight(list, Uploads.start(repository)).pipe(
        playing(
          same.expect("GET", tagsPath).answer(401, asks(bearer(pull))),
          service.expect("GET", tokenFor(pull)).answer(200, grants("P")),
          same.expect("GET", tagsPath, carries("Bearer P")).answer(200, listed),
          service.expect("GET", tokenFor(push)).answer(200, grants()),
          session
        )
      )
    )

    it.effect("A46 a cancelled upload takes no token of its own", () =>
      Effect.gen(function* () {
        const begun = yield* Uploads.start(repository)
        const error = yield* Effect.flip(Uploads.cancel(begun))
        assert.strictEqual(error._tag, "Unauthorized")
      }).pipe(
        playing(
          ...toPush,
          same
            .expect("DELETE", `${uploads}1`, carries("Bearer T"))
            .answer(401, asks(bearer("repository:org/app:delete", ',error="insufficient_scope"')))
        )
      )
    )

    describe("A47 a mount", () => {
      const mounting = `${uploads}?mount=${encodeURIComponent(digest)}&from=org%2Fsource`
      const from = "repository:org/source:pull"
      const mount = Uploads.mount(repository, digest, source)

      it.effect("A47 may read its source with the same token", () =>
        Effect.map(mount, ({ _tag }) => assert.strictEqual(_tag, "Mounted")).pipe(
          playing(
            same.expect("POST", mounting).answer(401, asks(bearer(push))),
            service.expect("GET", tokenFor(push, from)).answer(200, grants()),
            same.expect("POST", mounting, carries("Bearer T")).answer(201, { headers: { location: "/" } })
          )
        )
      )

      it.effect("A47 A34 asks in one POST, its target first", () =>
        mount.pipe(
          Effect.provide(me),
          playing(
            same.expect("POST", mounting).answer(401, asks(bearer(`${from} ${push}`))),
            service.expect("GET", tokenFor(push, from), carries(mine)).answer(200, grants()),
            same.expect("POST", mounting, carries("Bearer T")).answer(201, { headers: { location: "/" } })
          )
        )
      )

      for (const status of [401, 403, 400]) {
        it.effect(`A47 A53 that may not read its source (${status}) becomes an upload`, () =>
          Effect.map(mount, ({ _tag }) => assert.strictEqual(_tag, "UploadSession")).pipe(
            playing(
              same.expect("POST", mounting).answer(401, asks(bearer(push))),
              service.expect("GET", tokenFor(push, from)).answer(status),
              service.expect("GET", tokenFor(push)).answer(200, grants()),
              same.expect("POST", mounting, carries("Bearer T")).answer(202, { headers: { location: `${uploads}1` } })
            )
          )
        )
      }
    })

    it.effect("A48 the catalogue is a resource of its own", () =>
      Catalog.list(registry).pipe(
        playing(
          same.expect("GET", "/v2/_catalog").answer(401, asks(bearer("repository:user/image:pull"))),
          service.expect("GET", tokenFor("registry:catalog:*")).answer(200, grants()),
          same.expect("GET", "/v2/_catalog", carries("Bearer T")).answer(200, { json: { repositories: [] } })
        )
      )
    )

    it.effect("A48 that is refused is an error that says so", () =>
      Effect.map(Effect.flip(Catalog.list(registry)), ({ _tag }) => assert.strictEqual(_tag, "Denied")).pipe(
        playing(
          same.expect("GET", "/v2/_catalog").answer(401, asks(bearer())),
          service.expect("GET", tokenFor("registry:catalog:*")).answer(403)
        )
      )
    )

    it.effect("A2 referrers take what pulls take", () =>
      Effect.zipRight(list, Referrers.list(repository, digest)).pipe(
        playing(
          same.expect("GET", tagsPath).answer(401, asks(bearer())),
          service.expect("GET", tokenFor(pull)).answer(200, grants()),
          same.expect("GET", tagsPath, carries("Bearer T")).answer(200, listed),
          same.expect("GET", `/v2/org/app/referrers/${digest}`, carries("Bearer T")).answer(200, {
            headers: { "content-type": "application/vnd.oci.image.index.v1+json" },
            body: JSON.stringify({
              schemaVersion: 2,
              mediaType: "application/vnd.oci.image.index.v1+json",
              manifests: []
            })
          })
        )
      )
    )
  })

  describe("A45 a delete", () => {
    // where the registry lists referrers, nothing is read before
    const api = RegistryHosts.layer({ capabilities: { referrers: true } })
    const remove = Effect.provide(Manifests.delete(repository, digest), api)
    const asksFor = (scope?: string) =>
      same.expect("DELETE", manifest, carries(undefined)).answer(401, asks(bearer(scope)))
    const done = (token = "T") => same.expect("DELETE", manifest, carries(`Bearer ${token}`)).answer(202)
    const toDelete = (actions: string) => service.expect("GET", tokenFor(`repository:org/app:${actions}`))

    for (const [what, challenged, actions] of [
      ["delete", "repository:org/app:delete", "delete"],
      ["push", "repository:org/app:push", "pull,push"],
      ["everything", "repository:org/app:*", "*"]
    ] as const) {
      it.effect(`A45 D12 takes what its challenge says, ${what}, and the next one takes it at once`, () =>
        Effect.gen(function* () {
          yield* remove
          yield* remove
          yield* Effect.provide(Manifests.delete(source, digest), api)
        }).pipe(
          playing(
            asksFor(challenged),
            toDelete(actions).answer(200, grants()),
            done(),
            done(),
            service.expect("GET", tokenFor(`repository:org/source:${actions}`)).answer(200, grants("T2")),
            same.expect("DELETE", `/v2/org/source/manifests/${digest}`, carries("Bearer T2")).answer(202)
          )
        )
      )
    }

    it.effect("A45 D12 whose challenge says nothing tries what registries take, and remembers it", () =>
      Effect.gen(function* () {
        yield* remove
        yield* Effect.provide(Manifests.delete(source, digest), api)
      }).pipe(
        Effect.provide(me),
        playing(
          asksFor(),
          toDelete("*").answer(403),
          toDelete("delete,pull,push").answer(200, grants("D")),
          same.expect("DELETE", manifest, carries("Bearer D")).answer(401, asks(bearer())),
          toDelete("pull,push").answer(200, grants()),
          done(),
          service.expect("GET", tokenFor("repository:org/source:pull,push")).answer(200, grants("T2")),
          same.expect("DELETE", `/v2/org/source/manifests/${digest}`, carries("Bearer T2")).answer(202)
        )
      )
    )

    it.effect("A45 A39 that nobody grants ends with the last refusal", () =>
      Effect.map(Effect.flip(remove), (error) => {
        assert(error._tag === "Denied")
        assert.strictEqual(error.errors[0]?.message, "no")
      }).pipe(
        playing(
          asksFor(),
          toDelete("*").answer(403),
          toDelete("delete,pull,push").answer(403),
          toDelete("pull,push").answer(403, Script.refusal("DENIED", "no"))
        )
      )
    )

    it.effect("A45 of a tag or a blob is a delete as well", () =>
      Effect.zipRight(Tags.delete(repository, "1.2"), Blobs.delete(repository, digest)).pipe(
        playing(
          same.expect("DELETE", "/v2/org/app/manifests/1.2").answer(401, asks(bearer("repository:org/app:delete"))),
          toDelete("delete").answer(200, grants()),
          same.expect("DELETE", "/v2/org/app/manifests/1.2", carries("Bearer T")).answer(202),
          same.expect("DELETE", `/v2/org/app/blobs/${digest}`, carries("Bearer T")).answer(202)
        )
      )
    )

    it.effect("A45 goes with what token there is at first", () =>
      Effect.zipRight(list, remove).pipe(
        playing(
          same.expect("GET", tagsPath).answer(401, asks(bearer())),
          service.expect("GET", tokenFor(pull)).answer(200, grants("P")),
          same.expect("GET", tagsPath, carries("Bearer P")).answer(200, listed),
          same
            .expect("DELETE", manifest, carries("Bearer P"))
            .answer(401, asks(bearer("repository:org/app:delete", ',error="insufficient_scope"'))),
          toDelete("delete,pull").answer(200, grants()),
          done()
        )
      )
    )
  })
})
