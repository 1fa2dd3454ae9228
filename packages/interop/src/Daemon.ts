/**
 * Programs that serve on a port that they have to be told. They end with the scope.
 */
import * as net from "node:net"
import * as Command from "@effect/platform/Command"
import type { CommandExecutor } from "@effect/platform/CommandExecutor"
import type { PlatformError } from "@effect/platform/Error"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Process from "./Process.js"

/** A port of 127.0.0.1 that nobody listens on. */
export const freePort: Effect.Effect<number> = Effect.async((resume) => {
  const server = net.createServer()
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    const port = address !== null && typeof address === "object" ? address.port : 0
    server.close(() => resume(Effect.succeed(port)))
  })
})

const connect = (port: number): Effect.Effect<void, Error> =>
  Effect.async((resume) => {
    const socket = net.connect(port, "127.0.0.1")
    socket.once("connect", () => {
      socket.destroy()
      resume(Effect.void)
    })
    socket.once("error", (error) => resume(Effect.fail(error)))
    return Effect.sync(() => socket.destroy())
  })

/** Starts a program, and waits until it listens. */
export const start = (
  command: Command.Command,
  port: number
): Effect.Effect<void, Process.ProcessFailed | PlatformError, CommandExecutor | Scope.Scope> =>
  Effect.gen(function* () {
    const process = yield* Command.start(command)
    const printed: Array<string> = []
    // what it prints is read to its end, or a full pipe would stop it
    const ended = Stream.merge(process.stdout, process.stderr).pipe(
      Stream.decodeText(),
      Stream.runForEach((text) => Effect.sync(() => void printed.push(text))),
      Effect.zipRight(
        Effect.suspend(() => new Process.ProcessFailed({ command: Process.show(command), output: printed.join("") }))
      )
    )
    const fiber = yield* Effect.forkScoped(ended)
    const listening = Effect.eventually(Effect.delay(connect(port), "20 millis"))
    yield* Effect.raceFirst(listening, Fiber.join(fiber))
  })
