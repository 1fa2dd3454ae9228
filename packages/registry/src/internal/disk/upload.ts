import type { PlatformError } from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Digest from "effect-oci/Digest"
import * as Hasher from "effect-oci/Hasher"
import * as Names from "../names.js"
import type { Upload } from "../store.js"
import type { Files } from "./files.js"
import * as Layout from "./layout.js"

/** Bytes that are hashed and written at a time: a call for each piece of a socket costs more than a copy. */
const batch = 1024 * 1024

/** What a session is for. When it was last used is the time of the file that has its bytes. */
const State = Schema.parseJson(
  Schema.Struct({
    repository: Schema.String.pipe(Schema.filter(Names.isRepository)),
    algorithm: Schema.Literal("sha256", "sha384", "sha512"),
    ended: Schema.Boolean
  })
)

interface Session {
  readonly id: string
  readonly repository: string
  readonly algorithm: Digest.Algorithm
  readonly ended: boolean
  readonly size: number
  readonly touched: number
}

/** An upload session whose bytes are in a file. `forget` is called when it is over. */
const make = (files: Files, session: Session, forget: (id: string) => void): Upload => {
  const { id, repository } = session
  const data = Layout.upload(id)
  let { algorithm, ended, size, touched } = session
  /** Of what is in the file; missing where that must be read first. */
  let hash: Hasher.Incremental | undefined

  const open = Effect.flatMap(files.makeRoom(data), (path) => files.fs.open(path, { flag: "r+" }))

  const hashed: Effect.Effect<Hasher.Incremental, PlatformError> = Effect.gen(function* () {
    if (hash !== undefined) return hash
    const fresh = (yield* Hasher.Hasher).make(algorithm)
    if (size > 0) {
      const path = yield* files.makeRoom(data)
      const written = files.fs.stream(path, { bytesToRead: size, chunkSize: batch, bufferSize: 1 })
      yield* Stream.runForEach(written, (bytes) => Effect.sync(() => fresh.update(bytes)))
    }
    hash = fresh
    return fresh
  })

  const append = <E>(body: Stream.Stream<Uint8Array, E>, file: FileSystem.File, digesting: Hasher.Incremental) => {
    let buffer: Uint8Array | undefined
    let filled = 0
    const write = (bytes: Uint8Array) =>
      // hashed while it is written
      Effect.zip(
        file.writeAll(bytes),
        Effect.sync(() => digesting.update(bytes)),
        { concurrent: true }
      ).pipe(
        Effect.onError(() =>
          Effect.sync(() => {
            hash = undefined
          })
        ),
        Effect.zipRight(
          Effect.sync(() => {
            size += bytes.length
          })
        )
      )
    const flush = Effect.suspend(() => {
      if (buffer === undefined || filled === 0) return Effect.void
      const bytes = buffer.subarray(0, filled)
      filled = 0
      return write(bytes)
    }).pipe(Effect.uninterruptible)
    const keep = (piece: Uint8Array): Effect.Effect<void> =>
      Effect.sync(() => {
        buffer ??= new Uint8Array(batch)
        buffer.set(piece, filled)
        filled += piece.length
      })
    const take = (piece: Uint8Array): Effect.Effect<void, PlatformError> =>
      filled + piece.length <= batch
        ? keep(piece)
        : Effect.zipRight(flush, piece.length <= batch ? keep(piece) : Effect.uninterruptible(write(piece)))
    return Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(Effect.exit(restore(Stream.runForEach(body, take))), (exit) => Effect.zipRight(flush, exit))
    )
  }

  const persist = Effect.suspend(() =>
    files.write(
      Layout.uploadState(id),
      new TextEncoder().encode(Schema.encodeSync(State)({ repository, algorithm, ended }))
    )
  )

  const discard = Effect.zipRight(files.remove(Layout.uploadState(id)), files.remove(data))

  return {
    id,
    repository,
    turn: Effect.unsafeMakeSemaphore(1),
    busy: false,
    get size() {
      return size
    },
    get ended() {
      return ended
    },
    get touched() {
      return touched
    },
    touch: (now) =>
      Effect.flatMap(files.find(data), (path) => {
        touched = now
        return Option.isNone(path) ? Effect.void : files.fs.utimes(path.value, new Date(now), new Date(now))
      }),
    keep: persist,
    end: Effect.suspend(() => {
      ended = true
      return persist
    }),
    append: (body) =>
      Effect.gen(function* () {
        const file = yield* open
        const hash = yield* hashed
        yield* file.seek(size, "start")
        yield* append(body, file, hash)
      }).pipe(Effect.scoped),
    hashWith: (wanted) => {
      if (wanted === algorithm) return
      algorithm = wanted
      hash = undefined
    },
    digest: Effect.map(hashed, (finished) => {
      hash = undefined
      return Digest.make(algorithm, finished.digest())
    }),
    commit: (digest) =>
      Effect.gen(function* () {
        // what a write that failed may have left behind the rest
        yield* Effect.scoped(Effect.flatMap(open, (file) => Effect.zipRight(file.truncate(size), file.sync)))
        // over from here on: nothing may be appended to a file that is a blob by another name
        forget(id)
        yield* files.remove(Layout.uploadState(id))
        const [content, blob] = [Layout.content(digest), Layout.blob(repository, digest)]
        yield* files.link(data, content)
        // where it was taken away meanwhile, the data itself will do
        if (!(yield* files.link(content, blob))) yield* files.link(data, blob)
        yield* files.remove(data)
      }).pipe(Effect.uninterruptible),
    discard
  }
}

/** A session that has nothing yet. */
export const begin = (
  files: Files,
  options: { readonly repository: string; readonly algorithm: Digest.Algorithm; readonly now: number },
  forget: (id: string) => void
): Effect.Effect<Upload, PlatformError> =>
  Effect.gen(function* () {
    const id = crypto.randomUUID()
    const path = yield* files.makeRoom(Layout.upload(id))
    yield* files.fs.writeFile(path, new Uint8Array(), { flag: "wx" })
    const { algorithm, now, repository } = options
    return make(files, { id, repository, algorithm, ended: false, size: 0, touched: now }, forget)
  })

/** A session that another process has begun; none where there is not all of it. */
export const restore = (
  files: Files,
  id: string,
  forget: (id: string) => void
): Effect.Effect<Option.Option<Upload>, PlatformError> =>
  Effect.gen(function* () {
    const info = yield* files.stat(Layout.upload(id))
    const written = yield* files.read(Layout.uploadState(id))
    const state = Option.flatMap(written, (bytes) => Schema.decodeOption(State)(new TextDecoder().decode(bytes)))
    return Option.zipWith(info, state, ({ mtime, size }, state) =>
      make(
        files,
        { ...state, id, size: Number(size), touched: Option.match(mtime, { onNone: () => 0, onSome: Number }) },
        forget
      )
    )
  })
