/** Who moves images: this library, the same by hand, and the tools of others. */
import * as Command from "@effect/platform/Command"
import * as Effect from "effect/Effect"
import type { Moves } from "../src/Client.js"
import { crane } from "../src/client/crane.js"
import { oras } from "../src/client/oras.js"
import { regctl } from "../src/client/regctl.js"
import { skopeo } from "../src/client/skopeo.js"

export type Job = keyof Moves<unknown>

export const jobs: ReadonlyArray<Job> = ["pull", "push", "copy"]

export interface Side {
  readonly name: string
  /** A version, where it has one that matters. */
  readonly version?: string
  /** The job with what it is done from and to, unless the side cannot do it. */
  readonly command: (job: Job, from: string, to: string) => Command.Command | undefined
}

/** A program of this folder, compiled, with the options that it has for a job. */
export const program = (
  name: string,
  file: string,
  options: Partial<Record<Job, ReadonlyArray<string>>> = {}
): Side => ({
  name,
  command: (job, from, to) => Command.make(process.execPath, file, job, from, to, ...(options[job] ?? []))
})

export const ours = "effect-oci"
export const hand = "by hand"

/** All of them. `programs` is the folder of the compiled ones. */
export const all = (programs: string) =>
  Effect.gen(function* () {
    const tools = yield* Effect.forEach([skopeo, crane, oras, regctl], ({ args, tool }) =>
      Effect.map(
        tool.version,
        (version): Side => ({
          name: tool.name,
          version,
          command: (job, from, to) => Command.make(tool.program, ...args[job](from, to))
        })
      )
    )
    const asking = program("by hand, asking first", `${programs}/hand.mjs`, { push: ["ask"] })
    return [
      program(ours, `${programs}/ours.mjs`),
      program(hand, `${programs}/hand.mjs`),
      { ...asking, command: (job, from, to) => (job === "push" ? asking.command(job, from, to) : undefined) },
      ...tools
    ] satisfies ReadonlyArray<Side>
  })
