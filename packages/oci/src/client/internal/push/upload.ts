import * as Effect from "effect/Effect"
import * as MutableRef from "effect/MutableRef"
import * as Stream from "effect/Stream"
import * as Digest from "../../../spec/Digest.js"
import type { Incremental } from "../../../spec/Hasher.js"
import type { Repository } from "../../../spec/Repository.js"
import type { BlobSource } from "../../BlobSource.js"
import type { RegistryClient } from "../../RegistryClient.js"
import {
  type BlobUploadInvalid,
  type BlobUploadUnknown,
  type CallError,
  type DigestInvalid,
  DigestMismatch,
  isRetryable,
  type NameInvalid,
  type NameUnknown,
  type PayloadTooLarge,
  type RangeNotSatisfiable,
  type SizeInvalid,
  type SizeMismatch,
  SourceNotReplayable,
  UnexpectedResponse,
  type Unsupported
} from "../../RegistryError.js"
import * as Uploads from "../../Uploads.js"
import * as Features from "../features.js"
import * as Request from "../request.js"
import { Strikes } from "../strikes.js"
import * as UploadSteps from "../uploadSteps.js"
import type { Chunks } from "./chunks.js"
import type { Held } from "./held.js"
import * as Present from "./present.js"
import type { Reader } from "./reader.js"
import * as Remedy from "./remedy.js"
import * as Source from "./source.js"

export type Failure =
  | NameUnknown
  | NameInvalid
  | BlobUploadUnknown
  | BlobUploadInvalid
  | DigestInvalid
  | DigestMismatch
  | SizeInvalid
  | SizeMismatch
  | RangeNotSatisfiable
  | PayloadTooLarge
  | SourceNotReplayable
  | Unsupported
  | CallError

/** What is known of a blob once it is read. */
export interface Measure {
  readonly digest: Digest.Digest
  readonly size: number
}

interface Failed {
  readonly session: Uploads.UploadSession
  readonly error: Failure
  readonly phase: Remedy.Phase
  /** What was to be there now. */
  readonly blob?: Measure | undefined
  /** How long the chunk was. */
  readonly sent?: number | undefined
}

/** Where an upload is. */
type State =
  | { readonly _tag: "Open" }
  | { readonly _tag: "Sending"; readonly session: Uploads.UploadSession }
  | { readonly _tag: "Ending"; readonly session: Uploads.UploadSession }
  | ({ readonly _tag: "Recovering" } & Failed)
  | { readonly _tag: "Done"; readonly blob: Measure }

const open: State = { _tag: "Open" }
const sending = (session: Uploads.UploadSession): State => ({ _tag: "Sending", session })
const recovering = (failed: Failed): State => ({ _tag: "Recovering", ...failed })
const done = (blob: Measure): State => ({ _tag: "Done", blob })

export interface Blob<E, R> {
  readonly repository: Repository
  readonly source: BlobSource<E, R>
  readonly algorithm: Digest.Algorithm
  /** What it must be, as far as that is known. */
  readonly digest: Digest.Digest | undefined
  readonly size: number | undefined
}

/** What an upload works with. */
export interface Tools<E, R> {
  readonly held: Held
  readonly reader: Reader<E, R>
  /** Gets each byte that is sent in chunks, where the digest is to be found out or verified. */
  readonly hash: Incremental | undefined
  readonly chunks: Chunks
  /** Whether chunks are taken, as far as it is known. */
  readonly takesChunks: boolean | undefined
  readonly progress: MutableRef.MutableRef<number> | undefined
  /** Reads the source for its digest and size. */
  readonly measure: Effect.Effect<Measure, Source.SourceFailed<E> | Failure, R>
}

type Step<E, R> = Effect.Effect<State, Source.SourceFailed<E> | Failure, R | RegistryClient>

/** One blob on its way through as many sessions as it takes. */
export class Upload<E, R> {
  private readonly blob: Blob<E, R>
  private readonly tools: Tools<E, R>
  private readonly facts: object
  private readonly strikes = new Strikes()
  /** Digest and size, where the blob can be sent as a whole. */
  private measure: Measure | undefined
  /** How it is sent: as the whole that it is known to be, or in chunks. */
  private way: Measure | "chunks"
  private turns = 0
  private resumed = false
  private chunked = false
  private hashed: Digest.Digest | undefined

  constructor(blob: Blob<E, R>, tools: Tools<E, R>, way: "whole" | "chunks") {
    const { digest, repository, size } = blob
    this.blob = blob
    this.tools = tools
    this.measure = digest === undefined || size === undefined ? undefined : { digest, size }
    this.way = way === "whole" && this.measure !== undefined ? this.measure : "chunks"
    this.facts = digest === undefined ? Request.repositoryFacts(repository) : Request.blobFacts(repository, digest)
  }

  readonly run: Effect.Effect<Measure, Source.SourceFailed<E> | Failure, R | RegistryClient> = Effect.gen(
    this,
    function* () {
      const { current } = this.tools.held
      this.resumed = current !== undefined && current.offset > 0
      let state: State = current === undefined ? open : this.chosen(current)
      while (state._tag !== "Done") state = yield* this.step(state)
      return state.blob
    }
  )

  private step(state: Exclude<State, { readonly _tag: "Done" }>): Step<E, R> {
    switch (state._tag) {
      case "Open":
        return Effect.map(this.opened, (session) => this.chosen(session))
      case "Sending":
        return this.way === "chunks" ? this.chunk(state.session) : this.whole(state.session, this.way)
      case "Ending":
        return this.end(state.session)
      case "Recovering":
        return this.recover(state)
    }
  }

  private readonly opened = Effect.suspend(() => {
    this.resumed = false
    return this.tools.held.beginning(UploadSteps.start(this.blob.repository, this.blob.algorithm), (session) => session)
  })

  /** Goes over to the way that the registry asks for where it begins an upload. */
  private chosen(session: Uploads.UploadSession): State {
    const { chunks, takesChunks } = this.tools
    if (this.measure !== undefined && this.turns === 0) {
      if (takesChunks !== false && chunks.wanted(session, this.measure.size)) this.way = "chunks"
      if (chunks.excessive(session)) this.way = this.measure
    }
    return sending(session)
  }

  /** The rest of the blob with the end of its upload. */
  private whole(session: Uploads.UploadSession, measure: Measure): Step<E, R> {
    const { offset } = session
    const { digest, size } = measure
    const { bytes } = this.blob.source
    if (offset > size) return Effect.zipRight(this.strikes.after(this.astray(offset), 0), this.anew)
    const content = bytes?.subarray(offset) ?? {
      size: size - offset,
      stream: this.counted(Source.from(this.blob.source, offset), offset)
    }
    this.moved(offset)
    return this.ended(
      session,
      "whole",
      measure,
      UploadSteps.finish(session, digest, offset === size ? undefined : content)
    )
  }

  /** The next chunk. Where the registry keeps only a part of it, the next one begins there. */
  private chunk(session: Uploads.UploadSession): Step<E, R> {
    const { chunks, held, reader } = this.tools
    const { offset } = session
    this.moved(offset)
    return Effect.flatMap(reader.read(offset, chunks.length(session)), (bytes): Step<E, R> => {
      if (bytes.length === 0) return Effect.succeed({ _tag: "Ending", session })
      return Effect.matchEffect(held.taking(UploadSteps.patch(session, bytes)), {
        onFailure: (error) => Effect.succeed(recovering({ session, error, phase: "chunk", sent: bytes.length })),
        onSuccess: (next) => {
          if (next.offset === offset) return Effect.as(this.strikes.after(this.astray(offset), offset), sending(next))
          this.chunked = true
          return Effect.succeed(sending(next))
        }
      })
    })
  }

  /** The end of an upload that has all of its bytes. */
  private end(session: Uploads.UploadSession): Step<E, R> {
    return Effect.gen(this, function* () {
      const { algorithm, digest: expected } = this.blob
      const { hash, measure } = this.tools
      if (hash !== undefined) this.hashed ??= Digest.make(algorithm, hash.digest())
      const digest = this.hashed ?? expected ?? (yield* measure).digest
      if (expected !== undefined && expected !== digest) {
        return yield* new DigestMismatch({ ...this.facts, expected, actual: digest })
      }
      return yield* this.ended(session, "end", { digest, size: session.offset }, UploadSteps.finish(session, digest))
    })
  }

  /** Once the registry has accepted the end there is nothing to give up, be it what was meant or not. */
  private ended<E2 extends Source.SourceFailed<E> | Failure, R2>(
    session: Uploads.UploadSession,
    phase: "whole" | "end",
    blob: Measure,
    finish: Effect.Effect<unknown, E2, R2>
  ): Effect.Effect<State, Source.SourceFailed<E>, R2> {
    const over = Effect.sync(() => this.tools.held.set(undefined))
    const accepted = (error: Source.SourceFailed<E> | Failure) =>
      error._tag === "DigestMismatch" && error.status !== undefined
    return Effect.uninterruptibleMask((restore) =>
      Effect.tapBoth(restore(finish), {
        onFailure: (error) => (accepted(error) ? over : Effect.void),
        onSuccess: () => over
      })
    ).pipe(
      Effect.matchEffect({
        onFailure: (error: Source.SourceFailed<E> | Failure): Effect.Effect<State, Source.SourceFailed<E>> =>
          error._tag === "SourceFailed"
            ? Effect.fail(error)
            : Effect.succeed(recovering({ session, error, phase, blob })),
        onSuccess: () => {
          this.moved(blob.size)
          return Effect.succeed(done(blob))
        }
      })
    )
  }

  private recover(failed: Failed): Step<E, R> {
    return Effect.gen(this, function* () {
      const { blob, error, phase, sent = 0, session } = failed
      const repeatable = phase !== "whole" || this.blob.source.bytes !== undefined
      const remedy = Remedy.of(error, phase, { chunked: this.chunked, repeatable, resumed: this.resumed })
      if (remedy === "smaller") {
        return yield* this.tools.chunks.shrink(session, sent) ? Effect.succeed(sending(session)) : Effect.fail(error)
      }
      if (remedy === "chunks" || remedy === "whole") return yield* this.turn(remedy, error)
      if (remedy !== "none") yield* this.strikes.after(error, session.offset)
      // the end may have been accepted, and its answer was lost, or came late
      const doubtful = remedy !== "none" || (phase === "end" && Remedy.isOfEnd(error))
      if (blob !== undefined && doubtful) {
        const found = yield* Present.find(this.blob.repository, blob.digest, blob.size)
        if (found !== undefined) {
          this.tools.held.set(undefined)
          this.moved(blob.size)
          return done(blob)
        }
      }
      if (remedy === "none") return yield* Effect.fail(error)
      if (phase === "whole" && !repeatable && this.blob.source.once === true) {
        const { errors, method, status, url } = error
        return yield* new SourceNotReplayable({ ...this.facts, errors, method, status, url })
      }
      switch (remedy) {
        case "anew":
          return yield* this.anew
        case "ask":
          return yield* this.ask(failed)
      }
    })
  }

  /** Goes on from where the registry says that the session stands. */
  private ask({ phase, session }: Failed): Step<E, R> {
    this.resumed = true
    return Effect.matchEffect(this.tools.held.taking(Uploads.status(session)), {
      onSuccess: (now) => Effect.succeed(sending(now)),
      // a registry that cannot tell, or does not know it any more
      onFailure: (error): Step<E, R> =>
        isRetryable(error)
          ? Effect.succeed(recovering({ session, error, phase: phase === "whole" ? "end" : phase }))
          : this.anew
    })
  }

  private readonly anew: Step<E, R> = Effect.suspend(() => Effect.as(this.tools.held.drop, open))

  /** Sends the other way from now on, each at most once. */
  private turn(way: "whole" | "chunks", error: Failure): Step<E, R> {
    return Effect.gen(this, function* () {
      const { measure, takesChunks } = this.tools
      const { repository, source } = this.blob
      if (this.turns++ > 0 || (way === "chunks" && takesChunks === false)) return yield* Effect.fail(error)
      if (way === "whole") {
        if (source.once === true && source.bytes === undefined) return yield* Effect.fail(error)
        yield* Features.found(repository, "chunks", false)
        this.measure ??= yield* measure
        this.way = this.measure
      } else this.way = "chunks"
      return yield* this.anew
    })
  }

  /** What the registry says it has is not what can be. */
  private astray(offset: number): UnexpectedResponse {
    return new UnexpectedResponse({ ...this.facts, reason: `says that it has ${offset} bytes of the upload` })
  }

  private moved(bytes: number): void {
    if (this.tools.progress !== undefined) MutableRef.set(this.tools.progress, bytes)
  }

  /** The same stream; what is taken of it is counted, where anybody wants to know. */
  private counted<E2, R2>(stream: Stream.Stream<Uint8Array, E2, R2>, from: number): Stream.Stream<Uint8Array, E2, R2> {
    if (this.tools.progress === undefined) return stream
    return Stream.suspend(() => {
      let at = from
      return Stream.mapChunks(stream, (chunk) => {
        for (const bytes of chunk) at += bytes.length
        this.moved(at)
        return chunk
      })
    })
  }
}
