/** Who moves images: this library, the same by hand, and the tools of others. */
import * as Command from "@effect/platform/Command"
import * as Effect from "effect/Effect"
import type { Mover, Moves } from "../src/Client.js"
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

export const ours = "effect-oci"
export const loop = "loop"

/** All of them. `programs` is the folder of the compiled ones. */
export const all = (programs: string) => {
  /** A program of this project with options, for the jobs that it does. */
  const node = (name: string, file: string, can: ReadonlyArray<Job>, ...options: ReadonlyArray<string>): Side => ({
    name,
    command: (job, from, to) =>
      can.includes(job)
        ? Command.make(process.execPath, `${programs}/${file}.mjs`, job, from, to, ...options)
        : undefined
  })
  const tool = ({ args, tool }: Mover) =>
    Effect.map(
      tool.version,
      (version): Side => ({
        name: tool.name,
        version,
        command: (job, from, to) => Command.make(tool.program, ...args[job](from, to))
      })
    )
  return Effect.map(Effect.forEach([skopeo, crane, oras, regctl], tool), (tools) => [
    node(ours, "ours", jobs),
    node(`${ours} --unasked`, "ours", ["push"], "--unasked"),
    node(loop, "hand", jobs),
    node(`${loop}+head`, "hand", ["push"], "ask"),
    ...tools,
    node("azure", "azure", jobs)
  ])
}

/** This library with options that its program has. */
export const variant = (programs: string, ...options: ReadonlyArray<string>): Side => ({
  name: [ours, ...options].join(" "),
  command: (job, from, to) => Command.make(process.execPath, `${programs}/ours.mjs`, job, from, to, ...options)
})
