import * as Headers from "@effect/platform/Headers"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import { type Address, handshake, type Line, type Raw, type Step } from "./lines.js"
import * as Mismatch from "./mismatch.js"
import { Failure, nameOf, type Received, type Record } from "./record.js"
import * as Reply from "./reply.js"
import { disguised, reveals } from "./secrets.js"

/** A request whose body is not read yet. */
export interface Head {
  readonly origin: string
  readonly method: string
  readonly target: string
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  readonly connection: number
}

/** A request and what it is answered. */
export interface Scene {
  readonly record: Record
  readonly unread: boolean
  readonly reply: Reply.Reply | Raw
}

/** Where a script is played, over one transport or another. */
export interface Stage {
  /** In the order of their coming. */
  readonly requests: ReadonlyArray<Received>
  /** The hosts that are to be asked something. */
  readonly origins: ReadonlyArray<string>
  /** Whether the next connection of an origin gets no further than its handshake. */
  readonly breaksHandshake: (origin: string) => boolean
  /** Finds the step of a request, reads its body unless the step says not to, and works out the answer. */
  readonly enter: <E>(head: Head, body: Effect.Effect<Uint8Array, E>) => Effect.Effect<Scene, Failure | E>
  /** Fails when something was not as the script has it, or is not yet. */
  readonly verify: Effect.Effect<void, Failure>
}

/** How often a step is still to come. */
interface Pending {
  readonly step: Step
  left: number
}

/** What comes at each origin, act by act: the steps of an act in any order, and the next act when all have come. */
const actsOf = (lines: ReadonlyArray<Line>): Map<string, Array<ReadonlyArray<Pending>>> => {
  const acts = new Map<string, Array<ReadonlyArray<Pending>>>()
  for (const line of lines) {
    const steps = line._tag === "Step" ? [line] : line._tag === "Unordered" ? line.steps : []
    for (const [origin, own] of Object.entries(Arr.groupBy(steps, ({ origin }) => origin))) {
      acts.set(origin, [...(acts.get(origin) ?? []), own.map((step) => ({ step, left: step.count }))])
    }
  }
  return acts
}

/** Lines of one name as one value, as clients show them. */
export const joined = (headers: Head["headers"]): Headers.Headers =>
  Headers.fromInput(
    Object.fromEntries(
      Object.entries(Arr.groupBy(headers, ([name]) => name.toLowerCase())).map(([name, lines]) => [
        name,
        lines.map(([, value]) => value)
      ])
    )
  )

const missing = ({ left, step }: Pending): string =>
  left === step.count
    ? `${nameOf(step)} never came`
    : `${nameOf(step)} came ${step.count - left} of ${step.count} times`

/** Where a secret went that was not meant to go there. */
const leaksOf = (lines: ReadonlyArray<Line>, requests: ReadonlyArray<Received>): ReadonlyArray<string> =>
  lines.flatMap((line) => {
    if (line._tag !== "Secret") return []
    return requests.flatMap((request) => {
      if (line.origins.includes(request.origin)) return []
      const parts: ReadonlyArray<readonly [where: string, text: string]> = [
        ["the target", request.target],
        ...request.rawHeaders.map(([name, value]): readonly [string, string] => [`the header ${name}`, value]),
        ["the body", new TextDecoder().decode(request.body)]
      ]
      return parts
        .filter(([, text]) => reveals(text, line.value))
        .map(
          ([where]) => `the secret ${disguised(line.value)} went to ${request.origin} in ${where} of ${nameOf(request)}`
        )
    })
  })

/** Where an origin is found: by default under its own name. */
export type Addresses = ReadonlyMap<string, string>

const addressIn =
  (addresses: Addresses): Address =>
  (url) =>
    addresses.get(new URL(url).origin) ?? url

export const make = (lines: ReadonlyArray<Line>, addresses: Addresses): Stage => {
  const acts = actsOf(lines)
  const origins = [...acts.keys()]
  const requests: Array<Record> = []
  const wrong: Array<string> = []

  const fail = (problem: string) =>
    Effect.suspend(() => {
      wrong.push(problem)
      return new Failure({ problems: [problem] })
    })

  /** What could come next at an origin. */
  const next = (origin: string): ReadonlyArray<Pending> =>
    (acts.get(origin) ?? []).find((act) => act.some(({ left }) => left > 0))?.filter(({ left }) => left > 0) ?? []

  return {
    requests,
    origins,
    breaksHandshake: (origin) => next(origin).some(({ step }) => step.method === handshake.method),
    enter: (head, body) =>
      Effect.gen(function* () {
        const record: Record = {
          ...head,
          headers: joined(head.headers),
          rawHeaders: head.headers,
          body: new Uint8Array(),
          answer: "none",
          sent: 0
        }
        requests.push(record)
        const pending = next(head.origin)
        const found = pending.find(({ step }) => Mismatch.fits(step, record))
        const steps = pending.map(({ step }) => step)
        if (found === undefined) return yield* fail(Mismatch.unexpected(record, steps))
        found.left--
        const { match, reply } = found.step
        const unread = match.unread === true
        if (!unread) record.body = yield* body
        const problem = unread ? undefined : Mismatch.wrongBody(match, record)
        if (problem !== undefined) return yield* fail(problem)
        const answer = yield* Effect.catchAllDefect(reply(record, addressIn(addresses)), (defect) =>
          fail(`answering ${nameOf(record)} failed: ${Cause.pretty(Cause.die(defect))}`)
        )
        return { record, unread, reply: "raw" in answer ? answer : Reply.make(answer, head.method) }
      }),
    verify: Effect.suspend(() => {
      const problems = [
        ...wrong,
        ...leaksOf(lines, requests),
        ...[...acts.values()].flat(2).flatMap((pending) => (pending.left > 0 ? [missing(pending)] : [])),
        ...requests.flatMap((request) =>
          request.answer === "open" ? [`the answer to ${nameOf(request)} was neither read nor given up`] : []
        )
      ]
      return problems.length === 0 ? Effect.void : new Failure({ problems })
    })
  }
}

/** Verifies when the scope ends, whatever the test came to; what it has failed with already is not said again. */
export const verifyAtEnd = (stage: Stage): Effect.Effect<void, never, Scope.Scope> =>
  Effect.addFinalizer((exit) => {
    const defects = Exit.isFailure(exit) ? [...Cause.defects(exit.cause)] : []
    const said = defects.flatMap((defect) => (defect instanceof Failure ? defect.problems : []))
    return Effect.catchAll(stage.verify, ({ problems }) => {
      const rest = problems.filter((problem) => !said.includes(problem))
      return rest.length === 0 ? Effect.void : Effect.die(new Failure({ problems: rest }))
    })
  })

/** What is public of it. */
export const service = (stage: Stage, addresses: Addresses) => ({
  requests: Effect.sync((): ReadonlyArray<Received> => [...stage.requests]),
  verify: stage.verify,
  address: addressIn(addresses)
})
