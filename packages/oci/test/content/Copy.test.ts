import { assert, describe, it } from "@effect/vitest"
import type * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import type * as BlobSource from "effect-oci/BlobSource"
import * as Blobs from "effect-oci/Blobs"
import type * as ContentStore from "effect-oci/ContentStore"
import * as Copy from "effect-oci/Copy"
import * as Descriptor from "effect-oci/Descriptor"
import type { Digest } from "effect-oci/Digest"
import * as Manifests from "effect-oci/Manifests"
import * as MediaType from "effect-oci/MediaType"
import * as MemoryStore from "effect-oci/MemoryStore"
import * as Reference from "effect-oci/Reference"
import * as Referrers from "effect-oci/Referrers"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as RegistryStore from "effect-oci/RegistryStore"
import * as Tags from "effect-oci/Tags"
import { elapsing } from "../client/elapsing.js"
import * as Given from "./given.js"

const from = Given.at("from.test/org/app")
const to = Given.at("to.test/org/app")

const events = <E, R>(copy: Stream.Stream<Copy.Event, E, R>) =>
  Effect.map(Stream.runCollect(copy), Chunk.toReadonlyArray)

/** How each piece of content ended, by its digest. */
const ends = (events: ReadonlyArray<Copy.Event>): ReadonlyMap<Digest, string> =>
  new Map(
    events.flatMap(({ _tag, content }) =>
      _tag === "Found" || _tag === "Bytes" ? [] : [[content.digest, _tag] as const]
    )
  )

/** All of a graph in a store: what is asked for by its digest, as text. */
const read = <E, R>(store: ContentStore.ContentReader<E, R>, contents: Iterable<Descriptor.Descriptor>) =>
  Effect.forEach(contents, (content) =>
    store.fetch(content).pipe(
      Stream.decodeText(),
      Stream.mkString,
      Effect.map((text) => [content.digest, text] as const)
    )
  )

/** An index of two images that share a layer, and a third that stands in it twice. */
const fleet = <E, R>(store: ContentStore.ContentWriter<E, R>) =>
  Effect.gen(function* () {
    const one = yield* Given.image(store, ["base", "one"])
    const two = yield* Given.image(store, ["base", "two"])
    const inner = yield* Given.index(store, [one])
    return yield* Given.index(store, [one, two, inner], ["1.2"])
  })

const inRegistry = <E, R>(store: ContentStore.Source<E, R>, root: string) =>
  Stream.runDrain(Copy.copy(store, RegistryStore.make(from), { root }))

describe("Copy.copy", () => {
  it.effect("copies an index with all that it is made of, each piece once", () =>
    Effect.gen(function* () {
      const memory = yield* MemoryStore.make()
      const root = yield* fleet(memory)
      const told = yield* events(Copy.copy(memory, RegistryStore.make(to), { root: "1.2" }))
      const found = told.flatMap((event) => (event._tag === "Found" ? [event.content] : []))
      // two configs, three layers, two images, two indexes
      assert.strictEqual(found.length, 9)
      assert.strictEqual(new Set(found.map(({ digest }) => digest)).size, 9)
      assert.deepStrictEqual([...new Set(ends(told).values())], ["Done"])
      assert.deepStrictEqual(told.at(-1), { _tag: "Done", content: root })
      assert.deepStrictEqual(yield* read(RegistryStore.make(to), found), yield* read(memory, found))
      assert.strictEqual((yield* Manifests.head(Reference.make(to, { tag: "1.2" }))).digest, root.digest)
    }).pipe(Effect.provide(Given.registries()))
  )

  it.effect("U55 U64 pushes nothing before what it is made of", () =>
    Effect.gen(function* () {
      const memory = yield* MemoryStore.make()
      yield* fleet(memory)
      const told = yield* events(Copy.copy(memory, yield* MemoryStore.make(), { root: "1.2", concurrency: 3 }))
      const order = told.flatMap((event) => (event._tag === "Done" ? [event.content.digest] : []))
      for (const { _tag, content } of told) {
        if (_tag !== "Done" || !MediaType.isManifest(content.mediaType)) continue
        const text = yield* memory.fetch(content).pipe(Stream.decodeText(), Stream.mkString)
        const parts = [...text.matchAll(/sha256:[0-9a-f]{64}/g)].map(([digest]) => order.indexOf(digest as Digest))
        assert.isAbove(parts.length, 0)
        for (const part of parts) assert.isBelow(part, order.indexOf(content.digest))
        assert.isAtLeast(Math.min(...parts), 0)
      }
    })
  )

  it.effect("goes from registry to registry, and mounts within one", () =>
    Effect.gen(function* () {
      const asked = yield* Given.Asked
      const memory = yield* MemoryStore.make()
      yield* Given.image(memory, ["a", "b"], { tags: ["1"] })
      yield* inRegistry(memory, "1")
      const over = yield* events(Copy.copy(RegistryStore.make(from), RegistryStore.make(to), { root: "1" }))
      assert.deepStrictEqual([...ends(over).values()], ["Done", "Done", "Done", "Done"])
      asked.length = 0
      const other = Given.at("to.test/org/other")
      const within = yield* events(Copy.copy(RegistryStore.make(to), RegistryStore.make(other), { root: "1" }))
      assert.deepStrictEqual([...ends(within).values()].sort(), ["Done", "Mounted", "Mounted", "Mounted"])
      assert.deepStrictEqual(
        asked.filter((line) => / (blobs.get|uploads.start)/.test(line)),
        []
      )
    }).pipe(Effect.provide(Given.registries()))
  )

  describe("what is there", () => {
    it.effect("costs a look at each side when the name is right", () =>
      Effect.gen(function* () {
        const asked = yield* Given.Asked
        const memory = yield* MemoryStore.make()
        yield* fleet(memory)
        yield* inRegistry(memory, "1.2")
        const copy = Copy.copy(RegistryStore.make(from), RegistryStore.make(to), { root: "1.2" })
        yield* Stream.runDrain(copy)
        asked.length = 0
        assert.deepStrictEqual([...ends(yield* events(copy)).values()], ["Skipped"])
        assert.deepStrictEqual(asked, ["from.test manifests.head 1.2", "to.test manifests.head 1.2"])
      }).pipe(Effect.provide(Given.registries()))
    )

    it.effect("is what the target itself has, not what its mirror has", () =>
      Effect.gen(function* () {
        const memory = yield* MemoryStore.make()
        const root = yield* fleet(memory)
        yield* inRegistry(memory, "1.2")
        const hosts = RegistryHosts.fromRecord({ "to.test": { mirrors: [{ location: "from.test" }] } })
        const copy = Copy.copy(RegistryStore.make(from), RegistryStore.make(to), { root: "1.2" })
        const told = yield* Effect.provide(events(copy), hosts)
        assert.strictEqual(ends(told).get(root.digest), "Done")
        assert.strictEqual((yield* Manifests.head(Reference.make(to, { tag: "1.2" }))).digest, root.digest)
      }).pipe(Effect.provide(Given.registries()))
    )

    it.effect("is given further names", () =>
      Effect.gen(function* () {
        const memory = yield* MemoryStore.make()
        const root = yield* fleet(memory)
        const target = yield* MemoryStore.make()
        yield* Stream.runDrain(Copy.copy(memory, target, { root: root.digest }))
        assert.deepStrictEqual(yield* Stream.runCollect(target.tags), Chunk.empty())
        yield* Stream.runDrain(Copy.copy(memory, target, { root: "1.2", tags: ["a", "b"] }))
        assert.deepStrictEqual(Chunk.toReadonlyArray(yield* Stream.runCollect(target.tags)), ["a", "b"])
        assert.deepStrictEqual(yield* target.resolve("b"), Option.some(root))
      })
    )

    it.effect("is taken apart where it is asked for: what is missing below it comes back", () =>
      Effect.gen(function* () {
        const memory = yield* MemoryStore.make()
        const root = yield* fleet(memory)
        const target = yield* MemoryStore.make()
        const all = yield* events(Copy.copy(memory, target, { root }))
        const lost = yield* Descriptor.fromBytes(Given.text("base"), { mediaType: MediaType.ociLayer })
        yield* target.delete(lost)
        assert.strictEqual(ends(yield* events(Copy.copy(memory, target, { root }))).get(root.digest), "Skipped")
        assert.isFalse(yield* target.exists(lost))
        const again = ends(yield* events(Copy.copy(memory, target, { root, deep: true })))
        assert.strictEqual(again.size, ends(all).size)
        assert.deepStrictEqual(
          [...again].filter(([, end]) => end === "Done"),
          [[lost.digest, "Done"]]
        )
      })
    )
  })

  describe("a copy that ends early", () => {
    it.effect("leaves no name, and fails with what its store failed with", () =>
      Effect.gen(function* () {
        const memory = yield* MemoryStore.make("here")
        const root = yield* fleet(memory)
        const lost = yield* Descriptor.fromBytes(Given.text("two"), { mediaType: MediaType.ociLayer })
        yield* memory.delete(lost)
        const target = RegistryStore.make(to)
        const error = yield* Effect.flip(Stream.runDrain(Copy.copy(memory, target, { root: "1.2" })))
        assert(error._tag === "ContentUnknown")
        assert.strictEqual(error.message, `here has no ${lost.digest}`)
        assert.isFalse(yield* target.exists(root))
        assert.deepStrictEqual(yield* target.resolve("1.2"), Option.none())
      }).pipe(Effect.provide(Given.registries()))
    )

    it.effect("says which name the source does not have", () =>
      Effect.gen(function* () {
        const target = yield* MemoryStore.make()
        const copy = Copy.copy(RegistryStore.make(from), target, { root: "none" })
        const error = yield* Effect.flip(Stream.runDrain(copy))
        assert.strictEqual(error.message, "from.test/org/app has no none")
      }).pipe(Effect.provide(Given.registries()))
    )

    it.effect("is interrupted, and leaves no name", () =>
      Effect.gen(function* () {
        const memory = yield* MemoryStore.make()
        const root = yield* fleet(memory)
        const target = yield* MemoryStore.make()
        const stuck = {
          ...memory,
          fetch: (content: Descriptor.Descriptor) => (content.size === 3 ? Stream.never : memory.fetch(content))
        }
        const fiber = yield* Effect.fork(Stream.runDrain(Copy.copy(stuck, target, { root: "1.2" })))
        yield* TestClock.adjust("1 minute")
        assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
        assert.isFalse(yield* target.exists(root))
        assert.deepStrictEqual(yield* target.resolve("1.2"), Option.none())
      })
    )
  })

  describe("a copy between registries that break", () => {
    const faults = (seed: number): RegistryServer.Faults => ({
      seed,
      rate: 0.15,
      kinds: [500, 503, "reset", "cut", "lost upload"]
    })
    for (const seed of [1, 2, 3, 4]) {
      it.effect(`arrives whole, plan ${seed}`, () =>
        Effect.gen(function* () {
          const memory = yield* MemoryStore.make()
          const large = Given.text("0123456789".repeat(300_000))
          const layers = [yield* Given.put(memory, large), yield* Given.put(memory, Given.text("small"))]
          const config = yield* Given.put(memory, Given.text("{}"), MediaType.ociConfig)
          const root = yield* Given.putManifest(
            memory,
            { schemaVersion: 2, mediaType: MediaType.ociManifest, config, layers },
            ["1"]
          )
          yield* elapsing(inRegistry(memory, "1"))
          yield* elapsing(
            Stream.runDrain(Copy.copy(RegistryStore.make(from), RegistryStore.make(to), { root: "1", concurrency: 2 }))
          )
          const back = yield* MemoryStore.make()
          yield* elapsing(Stream.runDrain(Copy.copy(RegistryStore.make(to), back, { root: "1" })))
          const all = [root, config, ...layers]
          assert.deepStrictEqual(yield* read(back, all), yield* read(memory, all))
        }).pipe(
          Effect.provide(Given.registries({ from: { faults: faults(seed) }, to: { faults: faults(seed + 100) } }))
        )
      )
    }

    it.effect("goes on where it stands, with the rest of the source", () =>
      Effect.gen(function* () {
        const memory = yield* MemoryStore.make()
        const content = yield* Given.put(memory, Given.text("content"))
        const rests: Array<string> = []
        const target = {
          ...(yield* MemoryStore.make()),
          push: <E, R>(_: Descriptor.Descriptor, { from }: BlobSource.Sized<E, R>) =>
            (from?.(3) ?? Stream.empty).pipe(
              Stream.decodeText(),
              Stream.mkString,
              Effect.map((rest) => {
                rests.push(rest)
                return "sent" as const
              })
            )
        }
        yield* Stream.runDrain(Copy.copy(memory, target, { root: content }))
        assert.deepStrictEqual(rests, ["tent"])
      })
    )
  })

  describe("referrers", () => {
    /** An image that is signed, a signature that is signed, and one who only says so. */
    const signed = <E, R>(store: ContentStore.ContentWriter<E, R>) =>
      Effect.gen(function* () {
        const one = yield* Given.image(store, ["base", "one"])
        const root = yield* Given.index(store, [one], ["1.2"])
        const signature = yield* Given.image(store, ["signature"], { subject: root })
        const countersignature = yield* Given.image(store, ["countersignature"], { subject: signature })
        const bill = yield* Given.image(store, ["bill of materials"], { subject: one })
        return { root, all: [signature, countersignature, bill] }
      })

    for (const referrers of [true, false]) {
      it.effect(
        `R27 come along, and those of parts and of referrers, to a registry ${referrers ? "with" : "without"} their API`,
        () =>
          Effect.gen(function* () {
            const memory = yield* MemoryStore.make()
            const { all, root } = yield* signed(memory)
            const target = RegistryStore.make(to)
            yield* Stream.runDrain(Copy.copy(memory, target, { root: "1.2", referrers: true }))
            for (const one of all) assert.isTrue(yield* target.exists(one), one.digest)
            const [signature] = all
            assert.deepStrictEqual(
              (yield* Referrers.list(to, root.digest)).map(({ digest }) => digest),
              [signature?.digest]
            )
            assert.deepStrictEqual(
              yield* target.resolve("1.2").pipe(Effect.map(Option.map(({ digest }) => digest))),
              Option.some(root.digest)
            )
          }).pipe(Effect.provide(Given.registries({ to: { referrers } })))
      )
    }

    it.effect("stay where they are by default, and come later to what is there", () =>
      Effect.gen(function* () {
        const memory = yield* MemoryStore.make()
        const { all } = yield* signed(memory)
        const target = yield* MemoryStore.make()
        yield* Stream.runDrain(Copy.copy(memory, target, { root: "1.2" }))
        for (const one of all) assert.isFalse(yield* target.exists(one))
        const told = yield* events(Copy.copy(memory, target, { root: "1.2", referrers: true }))
        for (const one of all) assert.isTrue(yield* target.exists(one))
        assert.strictEqual([...ends(told).values()].filter((end) => end === "Done").length, 9)
      })
    )

    it.effect("R28 are looked at: what refers to something else, or is not there, is passed over", () =>
      Effect.gen(function* () {
        const memory = yield* MemoryStore.make()
        const { root } = yield* signed(memory)
        const stranger = yield* Given.image(memory, ["stranger"])
        const gone = yield* Descriptor.fromBytes(Given.text("{}"), { mediaType: MediaType.ociManifest })
        const lying = { ...memory, referrers: Option.some(() => Stream.make(stranger, gone, root)) }
        const target = yield* MemoryStore.make()
        yield* Stream.runDrain(Copy.copy(lying, target, { root: "1.2", referrers: true }))
        assert.isTrue(yield* target.exists(root))
        assert.isFalse(yield* target.exists(stranger))
      })
    )

    it.effect("name what they refer to after they are there", () =>
      Effect.gen(function* () {
        const memory = yield* MemoryStore.make()
        const { all } = yield* signed(memory)
        const target = yield* MemoryStore.make()
        const watched: ContentStore.Target<Effect.Effect.Error<ReturnType<typeof target.push>>> = {
          ...target,
          tag: (content, name) =>
            Effect.zipRight(
              Effect.forEach(all, (one) => Effect.map(target.exists(one), (there) => assert.isTrue(there))),
              target.tag(content, name)
            ),
          push: (content, source, options) => {
            assert.deepStrictEqual(options?.tags ?? [], [])
            return target.push(content, source, options)
          }
        }
        yield* Stream.runDrain(Copy.copy(memory, watched, { root: "1.2", referrers: true }))
        assert.isTrue(Option.isSome(yield* target.resolve("1.2")))
      })
    )
  })

  describe("content", () => {
    it.effect("U66 stays as it is, whatever is in it", () =>
      Effect.gen(function* () {
        const memory = yield* MemoryStore.make()
        const config = yield* Given.put(memory, Given.text("{}"), "application/vnd.example.unknown")
        const odd = Given.text(
          `{ "layers":[],\n "x-own": {"b":1,"a":2}, "config":${JSON.stringify(config)},"schemaVersion":2 }\n\n`
        )
        const root = yield* Given.put(memory, odd, MediaType.ociManifest)
        yield* Stream.runDrain(Copy.copy(memory, RegistryStore.make(to), { root }))
        const { bytes } = yield* Manifests.get(Reference.make(to, { digest: root.digest }))
        assert.deepStrictEqual(bytes, odd)
      }).pipe(Effect.provide(Given.registries()))
    )

    it.effect("U65 that must not be distributed stays where it is", () =>
      Effect.gen(function* () {
        const memory = yield* MemoryStore.make()
        const foreign = yield* Descriptor.fromBytes(Given.text("foreign"), { mediaType: MediaType.dockerForeignLayer })
        const config = yield* Given.put(memory, Given.text("{}"), MediaType.dockerConfig)
        const root = yield* Given.putManifest(memory, {
          schemaVersion: 2,
          mediaType: MediaType.dockerManifest,
          config,
          layers: [foreign]
        })
        const target = yield* MemoryStore.make()
        assert.strictEqual(ends(yield* events(Copy.copy(memory, target, { root }))).get(foreign.digest), "Skipped")
        assert.isTrue(yield* target.exists(root))
      })
    )

    it.effect("of a manifest's type is a blob where it is a layer", () =>
      Effect.gen(function* () {
        const memory = yield* MemoryStore.make()
        const layer = Given.text(`{"schemaVersion":2,"mediaType":"${MediaType.ociIndex}","manifests":[]}`)
        const stored = yield* Given.put(memory, layer, MediaType.ociLayer)
        const config = yield* Given.put(memory, Given.text("{}"), MediaType.ociConfig)
        const layers = [{ ...stored, mediaType: MediaType.ociIndex }]
        const root = yield* Given.putManifest(memory, {
          schemaVersion: 2,
          mediaType: MediaType.ociManifest,
          config,
          layers
        })
        yield* Stream.runDrain(Copy.copy(memory, RegistryStore.make(to), { root }))
        assert.deepStrictEqual(yield* Blobs.get(to, stored), layer)
      }).pipe(Effect.provide(Given.registries()))
    )

    it.effect("that is not what its descriptor says is not copied", () =>
      Effect.gen(function* () {
        const memory = yield* MemoryStore.make()
        const right = yield* fleet(memory)
        for (const root of [
          { ...right, size: right.size + 1 },
          { ...right, size: right.size - 1 }
        ]) {
          const target = yield* MemoryStore.make()
          const error = yield* Effect.flip(Stream.runDrain(Copy.copy(memory, target, { root })))
          assert.strictEqual(error._tag, "SizeMismatch")
        }
      })
    )

    it.effect("of any shape arrives whole", () =>
      Effect.promise(() =>
        FastCheck.assert(
          FastCheck.asyncProperty(
            FastCheck.array(FastCheck.array(FastCheck.nat(5), { maxLength: 4 }), { minLength: 1, maxLength: 6 }),
            FastCheck.integer({ min: 1, max: 8 }),
            (shape, concurrency) =>
              Effect.gen(function* () {
                const [source, target] = [yield* MemoryStore.make(), yield* MemoryStore.make()]
                // each index has images, and indexes of those before it
                const before: Array<Descriptor.Descriptor> = []
                for (const [at, parts] of shape.entries()) {
                  const own = yield* Given.image(source, parts.map(String))
                  before.push(
                    yield* Given.index(source, [own, ...parts.flatMap((part) => before[part % Math.max(at, 1)] ?? [])])
                  )
                }
                const root = before.at(-1)
                assert(root !== undefined)
                const told = yield* events(Copy.copy(source, target, { root, concurrency }))
                const found = told.flatMap((event) => (event._tag === "Found" ? [event.content] : []))
                assert.strictEqual(ends(told).size, found.length)
                assert.deepStrictEqual(yield* read(target, found), yield* read(source, found))
              }).pipe(Effect.runPromise)
          ),
          { numRuns: 50 }
        )
      )
    )
  })

  describe("limits", () => {
    const nested = (store: MemoryStore.MemoryStore, depth: number) =>
      Effect.gen(function* () {
        let root = yield* Given.image(store, ["base"])
        for (let at = 0; at < depth; at++) root = yield* Given.index(store, [root])
        return root
      })

    it.effect("S19 M19 indexes within indexes end somewhere", () =>
      Effect.gen(function* () {
        const memory = yield* MemoryStore.make()
        const copy = (root: Descriptor.Descriptor) =>
          Effect.flatMap(MemoryStore.make(), (target) => Stream.runDrain(Copy.copy(memory, target, { root })))
        yield* copy(yield* nested(memory, 8))
        const error = yield* Effect.flip(copy(yield* nested(memory, 9)))
        assert(error._tag === "GraphTooLarge")
        assert.match(error.message, /^memory: manifests within manifests, more than 8 deep/)
      })
    )

    it.effect("S19 there is a most of content in one copy", () =>
      Effect.gen(function* () {
        const memory = yield* MemoryStore.make()
        const root = yield* fleet(memory)
        const target = yield* MemoryStore.make()
        yield* Stream.runDrain(Copy.copy(memory, target, { root, most: 9 }))
        const error = yield* Effect.flip(
          Stream.runDrain(Copy.copy(memory, yield* MemoryStore.make(), { root, most: 8 }))
        )
        assert(error._tag === "GraphTooLarge" && error.kind === "pieces")
      })
    )

    it.effect("S19 a manifest has a largest size, whatever its descriptor promises", () =>
      Effect.gen(function* () {
        const memory = yield* MemoryStore.make()
        const root = { ...(yield* fleet(memory)), size: 64 * 1024 * 1024 }
        const error = yield* Effect.flip(Stream.runDrain(Copy.copy(memory, yield* MemoryStore.make(), { root })))
        assert(error._tag === "GraphTooLarge" && error.kind === "manifest")
      })
    )

    it.effect("no more content moves at a time than is allowed", () =>
      Effect.gen(function* () {
        const memory = yield* MemoryStore.make()
        const root = yield* Given.image(
          memory,
          Array.from({ length: 20 }, (_, at) => `layer ${at}`)
        )
        const now = { moving: 0, most: 0 }
        const counted = {
          ...memory,
          fetch: (content: Descriptor.Descriptor) =>
            Stream.acquireRelease(
              Effect.sync(() => {
                now.most = Math.max(now.most, ++now.moving)
              }),
              () => Effect.sync(() => now.moving--)
            ).pipe(
              Stream.tap(() => Effect.sleep("1 second")),
              Stream.flatMap(() => memory.fetch(content))
            )
        }
        const copy = Copy.copy(counted, yield* MemoryStore.make(), { root, concurrency: 3 })
        const fiber = yield* Effect.fork(Stream.runDrain(copy))
        yield* TestClock.adjust("1 minute")
        yield* Fiber.join(fiber)
        assert.strictEqual(now.most, 3)
      })
    )
  })

  it.effect("tells how far large content has come", () =>
    Effect.gen(function* () {
      const source = yield* MemoryStore.make()
      const layer = Given.text("x".repeat(3_000_000))
      const content = yield* Given.put(source, layer)
      const slow = {
        ...source,
        fetch: () =>
          Stream.fromIterable([0, 1, 2]).pipe(
            Stream.tap((at) => Effect.sleep(at * 1000)),
            Stream.map((at) => layer.subarray(at * 1_000_000, (at + 1) * 1_000_000)),
            Stream.rechunk(1)
          )
      }
      const fiber = yield* Effect.fork(events(Copy.copy(slow, RegistryStore.make(to), { root: content })))
      yield* TestClock.adjust("10 seconds")
      const told = yield* Fiber.join(fiber)
      const bytes = told.flatMap((event) => (event._tag === "Bytes" ? [event.bytes] : []))
      assert.isAtLeast(bytes.length, 1)
      assert.deepStrictEqual(
        bytes,
        [...bytes].sort((a, b) => a - b)
      )
      assert.deepStrictEqual(told.at(-1), { _tag: "Done", content })
    }).pipe(Effect.provide(Given.registries()))
  )

  it.effect("needs nothing that was not given: a source that can only be read is enough", () =>
    Effect.gen(function* () {
      const memory = yield* MemoryStore.make()
      const root = yield* fleet(memory)
      const { exists, fetch, fetchFrom, name, referrers, repository, resolve, tags } = memory
      const readOnly: ContentStore.Source<ContentStore.ContentUnknown> = {
        exists,
        fetch,
        fetchFrom,
        name,
        referrers,
        repository,
        resolve,
        tags
      }
      yield* Stream.runDrain(Copy.copy(readOnly, RegistryStore.make(to), { root: "1.2" }))
      assert.deepStrictEqual((yield* Tags.list(to)).tags, ["1.2"])
      assert.strictEqual((yield* Manifests.head(Reference.make(to, { tag: "1.2" }))).digest, root.digest)
    }).pipe(Effect.provide(Given.registries()))
  )
})
