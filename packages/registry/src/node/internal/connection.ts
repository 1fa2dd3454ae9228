import * as net from "node:net"
import * as tls from "node:tls"
import * as Effect from "effect/Effect"
import * as Mailbox from "effect/Mailbox"
import type * as Scope from "effect/Scope"

/** Nothing more comes or goes over a connection. */
export interface Over {
  readonly _tag: "Over"
}

const over: Effect.Effect<never, Over> = Effect.fail<Over>({ _tag: "Over" })

/** A socket as effects. */
export interface Connection {
  /** The next bytes, of any number. */
  readonly read: Effect.Effect<Uint8Array, Over>
  /** Waits until the bytes are taken. */
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, Over>
  /** Takes no bytes from the socket until `resume`, so that the sender has to wait. */
  readonly pause: Effect.Effect<void>
  readonly resume: Effect.Effect<void>
  /** Says that this was all, and drops what still comes until the other side closes too. */
  readonly end: Effect.Effect<never, Over>
  readonly reset: Effect.Effect<never, Over>
  /** Fails as soon as the connection is closed by whomever. */
  readonly closed: Effect.Effect<never, Over>
}

/** A socket, which may be one of TLS over another. */
export const make = (socket: net.Socket, wire: net.Socket = socket): Effect.Effect<Connection> =>
  Effect.gen(function* () {
    const mailbox = yield* Mailbox.make<Uint8Array>()
    socket.setNoDelay(true)
    socket.on("data", (bytes) => mailbox.unsafeOffer(new Uint8Array(bytes)))
    const closed = Effect.async<never, Over>((resume) => {
      if (socket.destroyed) return resume(over)
      const close = () => resume(over)
      socket.once("close", close)
      return Effect.sync(() => socket.off("close", close))
    })
    return {
      read: Effect.catchAll(mailbox.take, () => over),
      write: (bytes) =>
        Effect.async((resume) => {
          socket.write(bytes, (error) => resume(error ? over : Effect.void))
        }),
      pause: Effect.sync(() => socket.pause()),
      resume: Effect.sync(() => socket.resume()),
      end: Effect.zipRight(
        Effect.sync(() => socket.end().resume()),
        closed
      ),
      reset: Effect.zipRight(
        Effect.sync(() => wire.resetAndDestroy()),
        over
      ),
      closed
    }
  })

/** The same behind TLS. A client that does not trust the certificate leaves, and no request comes. */
export const secure = (wire: net.Socket, secureContext: tls.SecureContext): Effect.Effect<Connection> =>
  Effect.suspend(() => {
    const socket = new tls.TLSSocket(wire, { isServer: true, secureContext })
    socket.on("error", () => {})
    return make(socket, wire)
  })

/** Listens on a free port of this machine, until the scope ends: the port. */
export const listen = (handle: (socket: net.Socket) => void): Effect.Effect<number, never, Scope.Scope> =>
  Effect.suspend(() => {
    const open = new Set<net.Socket>()
    const server = net.createServer((socket) => {
      open.add(socket)
      socket.on("close", () => open.delete(socket))
      socket.on("error", () => {})
      handle(socket)
    })
    const listening = Effect.async<number>((resume) => {
      server.once("error", (error) => resume(Effect.die(error)))
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
      })
    })
    return Effect.acquireRelease(listening, () =>
      Effect.async<void>((resume) => {
        server.close(() => resume(Effect.void))
        for (const socket of open) socket.destroy()
      })
    )
  })
