import { fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { Serving } from "./server.js"

/** Starts the server in a process of its own. It ends with this one. */
export const serve = async (): Promise<Serving & { readonly stop: () => void }> => {
  const server = fork(fileURLToPath(new URL("./server.mjs", import.meta.url)))
  const serving = await new Promise<Serving>((resolve) =>
    server.once("message", (message: Serving) => resolve(message))
  )
  return { ...serving, stop: () => server.kill() }
}
