/** What a program costs, as the kernel counts it. */
import * as fs from "node:fs"
import type * as Command from "@effect/platform/Command"
import type { CommandExecutor } from "@effect/platform/CommandExecutor"
import * as Effect from "effect/Effect"
import * as Process from "../src/Process.js"

export interface Cost {
  /** From its start to its end, in seconds. */
  readonly wall: number
  /** Processor time of the program and of all it started, in seconds. */
  readonly cpu: number
  /** Processor time of the servers meanwhile, in seconds. */
  readonly server: number
  /** The most memory that it had at a time, in bytes. What it started does not count. */
  readonly memory: number
}

/** How many ticks a second has: Linux says 100 to programs, whatever it counts itself. */
const ticks = 100

/** The numbers of `/proc/PID/stat` that follow the name and the state. */
const stat = (pid: number | "self") => {
  const text = fs.readFileSync(`/proc/${pid}/stat`, "utf8")
  return text
    .slice(text.lastIndexOf(")") + 4)
    .split(" ")
    .map(Number)
}

const seconds = (pid: number | "self", user: number) => {
  const fields = stat(pid)
  return ((fields[user] ?? Number.NaN) + (fields[user + 1] ?? Number.NaN)) / ticks
}

/** Processor time of a process that runs. */
const own = (pid: number) => seconds(pid, 10)

/** Processor time of all that this process started and that has ended, with all that those started. */
const ended = () => seconds("self", 12)

/** The high-water mark of a process; undefined when it has ended. */
const peak = (pid: number) => {
  try {
    const kibibytes = /^VmHWM:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024
  } catch {
    return undefined
  }
}

/**
 * Runs a program to its end, while nothing else is started. Processor time comes in steps of 10 ms; the mark of memory is
 * read every 10 ms, and only ever rises.
 */
export const of = (
  command: Command.Command,
  servers: ReadonlyArray<number>
): Effect.Effect<Cost, Process.ProcessFailed, CommandExecutor> =>
  Effect.gen(function* () {
    let memory = 0
    const look = (pid: number) =>
      Effect.sync(() => {
        memory = peak(pid) ?? memory
      }).pipe(Effect.delay("10 millis"), Effect.forever)
    const served = () => servers.reduce((sum, pid) => sum + own(pid), 0)
    const before = { cpu: ended(), server: served() }
    const begun = performance.now()
    yield* Process.output(command, look)
    const wall = (performance.now() - begun) / 1000
    return { wall, cpu: ended() - before.cpu, server: served() - before.server, memory }
  })
