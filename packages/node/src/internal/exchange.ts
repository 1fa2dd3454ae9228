import type { IncomingHttpHeaders } from "node:http"
import { Readable } from "node:stream"
import type * as Undici from "@effect/platform-node/Undici"
import * as Pieces from "./pieces.js"
import { Streamed } from "./streamed.js"

/** How much of a body is held before somebody reads it, in bytes; then the socket waits, and with it the server. */
const enough = 1024 * 1024

/** So much is worth a turn of its reader, in bytes; less waits for more, so many milliseconds. */
const worth = 256 * 1024
const soon = 2

export class Aborted extends Error {
  readonly code = "ERR_ABORTED"
  constructor() {
    super("the request was given up")
  }
}

/**
 * One request on its way through undici, and the body of its answer as it comes in. A small body is whole before its
 * reader has been woken, so that most answers cost one turn and no stream.
 */
export class Exchange implements Undici.Dispatcher.DispatchHandler {
  status = 0
  headers: IncomingHttpHeaders = {}
  error: Error | undefined
  /** Whether the body's last byte is here. The connection is then at another request's disposal. */
  ended = false
  readonly #refilled: boolean
  #controller: Undici.Dispatcher.DispatchController | undefined
  #answered: (() => void) | undefined
  #body: unknown
  #chunks: Array<Uint8Array> = []
  #held = 0
  #whole = false
  #wake: Array<() => void> = []
  /** When those who wait are woken. */
  #timer: NodeJS.Timeout | undefined
  #immediate: NodeJS.Immediate | undefined

  /** Who takes in the body may say that its chunks may be filled again once they are used. */
  constructor(refilled: boolean) {
    this.#refilled = refilled
  }

  /** Calls back once: with an answer, whose body may be on its way, or with an error. */
  start(body: unknown, answered: () => void): void {
    this.#body = body
    this.#answered = answered
    if (this.error !== undefined) this.#answer()
  }

  /** Gives up the request and its connection; nothing happens when all is over. */
  abort(reason?: Error): void {
    if (this.over) return
    const error = reason ?? new Aborted()
    this.#controller?.abort(error)
    this.#fail(error)
  }

  /** Whether nothing more comes. */
  get over(): boolean {
    return this.ended || this.error !== undefined
  }

  /** Takes in all of the body, whatever its size, and calls back when nothing more comes. */
  collect(then: () => void): void {
    this.#whole = true
    this.#wake.push(then)
    if (this.over) this.#notify()
    else this.#resume()
  }

  /** What of the body is here. */
  take(): Array<Uint8Array> {
    const chunks = this.#chunks
    this.#chunks = []
    this.#held = 0
    this.#resume()
    return chunks
  }

  /** Calls back when there is something to take, an end or an error. */
  wait(then: () => void): void {
    this.#wake.push(then)
    // it may have come since it was looked for: fibers yield
    if (this.#chunks.length > 0 || this.over) this.#notify()
  }

  onRequestStart(controller: Undici.Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.error !== undefined) controller.abort(this.error)
  }

  onResponseStart(_: Undici.Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return
    this.status = status
    this.headers = headers
    this.#answer()
  }

  onResponseData(controller: Undici.Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.#refilled) Pieces.lend(chunk)
    this.#chunks.push(chunk)
    this.#held += chunk.length
    if (this.#whole) return
    if (this.#held >= enough) controller.pause()
    this.#notifySoon()
  }

  onResponseEnd(): void {
    this.ended = true
    if (this.#body instanceof Streamed) this.#body.destroy()
    this.#notify()
  }

  onResponseError(_: Undici.Dispatcher.DispatchController | undefined, error: Error): void {
    this.#fail(error)
  }

  #resume(): void {
    if (this.#controller?.paused === true) this.#controller.resume()
  }

  #answer(): void {
    const answered = this.#answered
    this.#answered = undefined
    answered?.()
  }

  #fail(error: Error): void {
    if (this.over) return
    this.error = error
    if (this.#body instanceof Readable) this.#body.on("error", () => {}).destroy(error)
    if (this.#body instanceof Streamed) this.#body.destroy()
    this.#answer()
    this.#notify()
  }

  /** A fast socket has the next chunk in no time: who waits is woken for many of them, or when no more come so soon. */
  #notifySoon(): void {
    if (this.#wake.length === 0) return
    if (this.#held < worth) this.#timer ??= setTimeout(() => this.#notify(), soon)
    else this.#immediate ??= setImmediate(() => this.#notify())
  }

  #notify(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#immediate)
    this.#timer = undefined
    this.#immediate = undefined
    if (this.#wake.length === 0) return
    const wake = this.#wake
    this.#wake = []
    for (const then of wake) then()
  }
}
