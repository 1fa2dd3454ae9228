/**
 * What a test file opens, it closes: after its last test no connection, server, process or fiber of it is left. Files share
 * a worker, so what counts is what was not there when the file began.
 */
import * as diagnostics from "node:diagnostics_channel"
import { Socket } from "node:net"
import * as Context from "effect/Context"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { afterAll } from "vitest"

/** How long what is being closed may take, in milliseconds; most of it is gone after a turn of the event loop. */
const patience = 5_000

const pause = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 5))

/** Connections are announced: Node lists only what keeps the process alive, and those that rest in a pool do not. */
const channels = ["net.client.socket", "net.server.socket"]

const sockets = new Set<Socket>()

const opened = (message: unknown): void => {
  if (typeof message !== "object" || message === null || !("socket" in message)) return
  const { socket } = message
  if (!(socket instanceof Socket)) return
  sockets.add(socket)
  socket.once("close", () => sockets.delete(socket))
}

const shownSocket = ({ localAddress, localPort, remoteAddress, remotePort }: Socket): string =>
  `a TCP connection from ${localAddress}:${localPort} to ${remoteAddress}:${remotePort}`

/** A client's end of TLS is not announced; its server's end is, and there is no server but in the same process. */
const resources = [
  ["TCPServerWrap", "a TCP server"],
  ["ProcessWrap", "a child process"]
] as const

const counted = (name: string): number => process.getActiveResourcesInfo().filter((other) => other === name).length

/** Those that no other fiber has for a child: what runs a program, and daemons. */
const roots = (): ReadonlyArray<Fiber.RuntimeFiber<unknown, unknown>> => Fiber.unsafeRoots()

const shownFiber = (fiber: Fiber.RuntimeFiber<unknown, unknown>): string => {
  const { id, startTimeMillis } = fiber.id()
  const span = Option.map(Context.getOption(fiber.currentContext, Tracer.ParentSpan), (span) =>
    span._tag === "Span" ? ` in the span ${span.name}` : ""
  )
  return `the fiber #${id}, begun ${new Date(startTimeMillis).toISOString()}${Option.getOrElse(span, () => "")}`
}

/** Watches what is opened from now on until the tests of this file are over. */
export const watch = (): void => {
  sockets.clear()
  for (const channel of channels) diagnostics.subscribe(channel, opened)
  const fibers = new Set(roots())
  const before = resources.map(([name]) => counted(name))

  const left = (): ReadonlyArray<string> => [
    ...[...sockets].map(shownSocket),
    ...resources.flatMap(([name, shown], at) =>
      Array.from({ length: Math.max(0, counted(name) - (before[at] ?? 0)) }, () => shown)
    ),
    ...roots()
      .filter((fiber) => !fibers.has(fiber))
      .map(shownFiber)
  ]

  afterAll(async () => {
    const end = performance.now() + patience
    while (left().length > 0 && performance.now() < end) await pause()
    for (const channel of channels) diagnostics.unsubscribe(channel, opened)
    const all = left()
    if (all.length > 0) throw new Error(`the tests of this file are over, but they have left\n  ${all.join("\n  ")}`)
  })
}
