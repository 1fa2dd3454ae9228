import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { serve } from "./serve.js"

const listening = (url: string) => `A page that looks into registries, and one to look at. Ctrl-C stops both.

  ${url}

Type any other registry that lets pages in: pnpm registry --cors is one.
`

serve.pipe(
  Effect.flatMap((url) => Console.log(listening(url))),
  Effect.zipRight(Effect.never),
  Effect.scoped,
  NodeRuntime.runMain
)
