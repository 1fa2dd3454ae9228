import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type { Digest } from "../../spec/Digest.js"
import * as Hasher from "../../spec/Hasher.js"
import type { Repository } from "../../spec/Repository.js"
import { RegistryClient } from "../RegistryClient.js"
import {
  type CallError,
  type Facts,
  isRetryable,
  type ManifestInvalid,
  ReferrersNotUpdated,
  type Unsupported
} from "../RegistryError.js"
import { slot } from "../RegistryMemory.js"
import * as Batches from "./batches.js"
import * as ManifestDelete from "./manifestDelete.js"
import * as List from "./referrersList.js"

/** How often a list is written before it is left to those who write it all the time. */
const most = 5

class Contended extends Data.TaggedError("Contended") {
  override get message(): string {
    return `others write the list all the time, and it was written ${most} times in vain`
  }
}

type Failure = ManifestInvalid | Unsupported | Contended | CallError

const batches = slot((): Batches.All<List.Change, Failure> => new Map())

/** Others write too: after the second time in vain they are let go first, for a tenth of a second or more, at random. */
const pause = (writes: number): Effect.Effect<void> =>
  Effect.flatMap(Random.next, (chance) => Effect.sleep(Duration.millis(50 * 2 ** writes * (0.5 + chance))))

/**
 * Deletes a list of which nothing would be left. By its digest, that takes it away only as long as it is what the tag names:
 * a list that somebody has written since stays.
 */
const emptied = (repository: Repository, { bytes }: List.List): Effect.Effect<boolean, CallError, RegistryClient> =>
  Effect.flatMap(RegistryClient, ({ provide }) => provide(Hasher.digest(bytes))).pipe(
    Effect.flatMap((digest) => ManifestDelete.ifThere(repository, digest)),
    Effect.as(true),
    Effect.catchTags({
      Denied: () => Effect.succeed(false),
      PolicyViolation: () => Effect.succeed(false),
      UnexpectedResponse: () => Effect.succeed(false),
      Unsupported: () => Effect.succeed(false)
    })
  )

/**
 * Reads the list, writes it if the changes do not hold, and begins anew, until a reading shows that they do: few registries
 * heed a condition, and where none does a writer can undo what another has just written.
 */
const settle = (
  repository: Repository,
  tag: string,
  changes: ReadonlyArray<List.Change>,
  writes = 0,
  refused?: string,
  rested = false
): Effect.Effect<void, Failure, RegistryClient> =>
  Effect.gen(function* () {
    const found = yield* List.read(repository, tag)
    const changed = List.changed(
      Option.match(found, { onNone: () => ({}), onSome: ({ document }) => document }),
      changes
    )
    if (Option.isNone(changed)) return
    if (writes === most) return yield* new Contended()
    if (writes > 1 && !rested) {
      yield* pause(writes)
      return yield* settle(repository, tag, changes, writes, refused, true)
    }
    const again = (refused?: string) => settle(repository, tag, changes, writes + 1, refused)
    if (writes === 0 && Option.isSome(found) && List.isEmpty(changed.value)) {
      if (yield* emptied(repository, found.value)) return yield* again()
    }
    const holds = List.unchanged(found)
    // what is refused though nothing has changed is no condition that this registry understands
    const condition = holds?.join() === refused ? undefined : holds
    const done = yield* List.write(repository, tag, changed.value, condition).pipe(
      // nobody makes a request again that is conditional: the list tells whether it was done
      Effect.catchIf(
        (error) => condition !== undefined && isRetryable(error),
        () => Effect.succeed(true)
      )
    )
    return yield* again(done ? refused : condition?.join())
  })

/** Whether a failure says nothing of what the same request of others would come to. */
const whoAsks = ({ _tag }: Failure): boolean =>
  _tag === "Unauthorized" ||
  _tag === "Denied" ||
  _tag === "CredentialsInvalid" ||
  _tag === "TokenInvalid" ||
  _tag === "ChallengeInvalid"

/** Makes a change to the list of a subject's referrers, together with others that this client makes at the time. */
export const update = (
  repository: Repository,
  subject: Digest,
  change: List.Change
): Effect.Effect<void, ReferrersNotUpdated, RegistryClient> => {
  const tag = List.tag(subject)
  return Effect.flatMap(RegistryClient, ({ memory }) =>
    Batches.together(
      batches(memory),
      `${repository} ${subject}`,
      change,
      (changes) => settle(repository, tag, changes),
      whoAsks
    )
  ).pipe(
    Effect.mapError((error) => {
      const { method, requestId, status, url, errors = [] }: Partial<Facts> = error._tag === "Contended" ? {} : error
      return new ReferrersNotUpdated({
        registry: repository.registry.toString(),
        repository: repository.name,
        reference: tag,
        method,
        url,
        status,
        errors,
        requestId,
        subject,
        referrer: change._tag === "Added" ? change.descriptor.digest : change.digest,
        change: change._tag === "Added" ? "pushed" : "deleted",
        reason: error.message,
        retryable: change._tag === "Added" && (error._tag === "Contended" || isRetryable(error))
      })
    })
  )
}
