import * as RegistryMemory from "../RegistryMemory.js"

/** So many failures in a row, and everybody waits. */
const many = 3

/** So many successes in a row, and nobody does. */
const enough = 3

/** What there is to spend on retries at a host. */
const full = 500

/** After so long without a failure, in milliseconds, those before are forgotten. */
const memory = 5 * 60 * 1000

/** More hosts in trouble than a program has to do with: the one longest known goes. */
const most = 1000

/** A host that failed of late. All calls of a client to it share this. */
export class Host {
  /** Nobody sends before this, in milliseconds of the clock; 0 when nobody has to wait. */
  until = 0
  /** Whether the host asked for it, or its failures did. */
  throttled = false
  /** How many times it began that everybody waits. */
  pauses = 0
  /** Since the last successes in a row. */
  failures = 0
  /** Since the last success: failures of requests that were each sent after the one before had failed. */
  rounds = 0
  successes = 0
  /** What is left for retries. */
  budget = full
  private failed = 0

  /** Something failed. What was forgotten counts no more. */
  fail(now: number): void {
    if (now - this.failed > memory) {
      this.budget = full
      this.failures = 0
    }
    this.failed = now
    this.successes = 0
  }

  /** Everybody waits. */
  pause(until: number, throttled: boolean): void {
    if (until <= this.until) return
    this.until = until
    this.throttled = throttled
    this.pauses++
  }

  /**
   * Counts a failure of a request that was sent after so many pauses, and answers how many too many there are in a row. What
   * was under way when a pause began says nothing new.
   */
  count(pauses: number): number {
    if (pauses === this.pauses) this.failures++
    return pauses === this.pauses ? this.failures - many + 1 : 0
  }

  /** Counts a failure of a request that was sent after so many rounds. */
  countRound(rounds: number): void {
    if (rounds === this.rounds) this.rounds++
  }

  /** Pays for a retry, if there is something left. */
  pay(): boolean {
    if (this.budget < 1) return false
    this.budget--
    return true
  }

  /** Something succeeded: retries that helped cost nothing. Tells whether all is well again. */
  succeed(paid: number): boolean {
    this.budget = Math.min(full, this.budget + paid + 1)
    this.successes++
    this.rounds = 0
    if (this.successes >= enough) this.failures = 0
    return this.failures === 0 && this.until === 0 && this.budget === full
  }
}

/** The hosts in trouble by their origin. A host of which nothing bad was heard is not here. */
export class Hosts {
  private readonly troubled = new Map<string, Host>()

  find(origin: string): Host | undefined {
    return this.troubled.get(origin)
  }

  trouble(origin: string): Host {
    const known = this.troubled.get(origin)
    if (known !== undefined) return known
    const [oldest] = this.troubled.size < most ? [] : this.troubled.keys()
    if (oldest !== undefined) this.troubled.delete(oldest)
    const host = new Host()
    this.troubled.set(origin, host)
    return host
  }

  recovered(origin: string): void {
    this.troubled.delete(origin)
  }
}

export const of: (memory: RegistryMemory.RegistryMemory) => Hosts = RegistryMemory.slot(() => new Hosts())

/** Scheme, host and port, as the URL has them. */
export const originOf = (url: string): string => {
  const end = url.indexOf("/", url.indexOf("//") + 2)
  return end < 0 ? url : url.slice(0, end)
}
