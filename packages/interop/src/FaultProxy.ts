/**
 * A proxy before a registry that breaks what goes through it, by a plan.
 */
import { request as ask, createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { Readable, Writable } from "node:stream"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** A connection closed or reset in the middle of a body, one that goes silent, or one closed with a 503 after it. */
export type Fault = "cut" | "reset" | "stall" | "unavailable"

export interface Planned {
  /** How many bytes of bodies have gone through when it happens. */
  readonly after: number
  readonly fault: Fault
}

export interface FaultProxy {
  /** Where it listens: `127.0.0.1:port`. */
  readonly host: string
  /** What has happened until now. */
  readonly seen: { readonly moved: number; readonly faults: ReadonlyArray<Fault> }
}

export const kinds: ReadonlyArray<Fault> = ["cut", "reset", "unavailable", "stall"]

/** A stall takes the client's patience, and so comes less often. */
const drawn: ReadonlyArray<Fault> = ["cut", "reset", "unavailable", ...kinds]

/** So many faults, spread over so many bytes, by chance but the same for the same seed. */
export const plan = (seed: number, count: number, bytes: number): ReadonlyArray<Planned> => {
  let state = seed
  // an old generator of numbers, good enough to spread
  const chance = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const each = bytes / count
  return Array.from({ length: count }, (_, at) => ({
    after: Math.floor(each * at + 1 + chance() * (each - 1)),
    fault: drawn[Math.floor(chance() * drawn.length)] ?? "cut"
  }))
}

/** Starts it before the registry at `target`. It ends with the scope. */
export const make = (
  target: string,
  planned: ReadonlyArray<Planned>
): Effect.Effect<FaultProxy, never, Scope.Scope> => {
  const seen = { moved: 0, faults: [] as Fault[] }
  const left = [...planned]
  let unavailable = 0

  /** Hands bytes on until the next fault is due. */
  const pump = (from: Readable, to: Writable, broken: (fault: Fault) => void) => {
    from.on("data", (piece: Buffer) => {
      const [next] = left
      const room = next === undefined ? Number.POSITIVE_INFINITY : Math.max(0, next.after - seen.moved)
      if (next === undefined || piece.length < room) {
        seen.moved += piece.length
        if (to.write(piece)) return
        from.pause()
        to.once("drain", () => from.resume())
        return
      }
      from.pause()
      left.shift()
      seen.moved += room
      seen.faults.push(next.fault)
      to.write(piece.subarray(0, room))
      broken(next.fault)
    })
    from.on("end", () => to.end())
  }

  const handle = (request: IncomingMessage, response: ServerResponse) => {
    if (unavailable > 0) {
      unavailable--
      response.writeHead(503, { connection: "close", "content-length": 0 }).end()
      return
    }
    const [hostname, port] = target.split(":")
    const { headers, method, url } = request
    let isBroken = false
    const broken = (fault: Fault) => {
      isBroken = true
      // the registry is not kept waiting: of a connection that nobody reads one does not hear when it is closed
      upstream.destroy()
      if (fault === "unavailable") unavailable++
      if (fault === "reset") request.socket.resetAndDestroy()
      else if (fault !== "stall") request.socket.destroySoon()
    }
    const lost = () => {
      if (!isBroken) request.socket.destroy()
    }
    // a connection of its own, so that none ends while it waits for its next request
    const upstream = ask({ hostname, port, method, path: url, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      pump(answer, response, broken)
      answer.on("error", lost)
    })
    upstream.on("error", lost)
    request.on("error", () => upstream.destroy())
    response.once("close", () => {
      if (!response.writableFinished) upstream.destroy()
    })
    pump(request, upstream, broken)
  }

  return Effect.acquireRelease(
    Effect.async<{ readonly host: string; readonly close: () => void }>((resume) => {
      const server = createServer(handle)
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" ? address?.port : 0
        const close = () => {
          server.closeAllConnections()
          server.close()
        }
        resume(Effect.succeed({ host: `127.0.0.1:${port}`, close }))
      })
    }),
    ({ close }) => Effect.sync(close)
  ).pipe(Effect.map(({ host }) => ({ host, seen })))
}
