import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as HashSet from "effect/HashSet"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Tracer from "effect/Tracer"
import { Failure } from "./record.js"
import { disguised, reveals } from "./secrets.js"
import { forms, inspected } from "./shown.js"

/** What was said, and where. */
type Said = readonly [where: string, texts: ReadonlyArray<string>]

/** Runs an effect with its logs of every level noted; other loggers hear what they would have heard. */
const listening = (said: Array<Said>) => {
  const note = Logger.make<unknown, void>((entry) => {
    const line = Logger.stringLogger.log(entry)
    said.push([`a log of level ${entry.logLevel.label}`, [line, ...inspected(Logger.structuredLogger.log(entry))]])
  })
  return <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.gen(function* () {
      const least = yield* FiberRef.get(FiberRef.currentMinimumLogLevel)
      const others = HashSet.map(yield* FiberRef.get(FiberRef.currentLoggers), (logger) =>
        Logger.filterLogLevel(logger, LogLevel.greaterThanEqual(least))
      )
      return yield* self.pipe(
        Effect.locally(FiberRef.currentLoggers, HashSet.add(others, note)),
        Logger.withMinimumLogLevel(LogLevel.All)
      )
    })
}

/** Runs an effect with its spans noted; they go to the tracer all the same. */
const tracing =
  (spans: Array<Tracer.Span>) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(Effect.tracer, (tracer) => {
      const noting = Tracer.make({
        context: (run, fiber) => tracer.context(run, fiber),
        span: (...args) => {
          const span = tracer.span(...args)
          spans.push(span)
          return span
        }
      })
      return self.pipe(Effect.withTracer(noting), Effect.withTracerEnabled(true))
    })

const textsOf = (span: Tracer.Span): ReadonlyArray<string> => {
  const exit = span.status._tag === "Ended" ? span.status.exit : Exit.void
  return [
    ...inspected([span.name, span.attributes, span.links.map(({ attributes }) => attributes)]),
    ...inspected("events" in span ? span.events : []),
    ...(Exit.isFailure(exit) ? forms(exit.cause).flatMap(([, texts]) => texts) : [])
  ]
}

export const withoutLeaks = <A, E, R>(
  self: Effect.Effect<A, E, R>,
  secrets: ReadonlyArray<string>
): Effect.Effect<A, E, R> =>
  Effect.gen(function* () {
    const said: Array<Said> = []
    const spans: Array<Tracer.Span> = []
    const exit = yield* self.pipe(listening(said), tracing(spans), Effect.exit)
    const outcome = Exit.isSuccess(exit) ? exit.value : exit.cause
    const places: ReadonlyArray<Said> = [
      ...said,
      ...spans.map((span): Said => [`the span ${span.name}`, textsOf(span)]),
      ...forms(outcome).map(([how, texts]): Said => [`the ${Exit.isSuccess(exit) ? "value" : "error"} (${how})`, texts])
    ]
    const problems = secrets.flatMap((secret) =>
      places
        .filter(([, texts]) => texts.some((text) => reveals(text, secret)))
        .map(([where]) => `the secret ${disguised(secret)} is in ${where.replaceAll(secret, "…")}`)
    )
    if (problems.length > 0) return yield* Effect.die(new Failure({ problems: [...new Set(problems)] }))
    return yield* exit
  })
