import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeTerminal from "@effect/platform-node/NodeTerminal"
import * as Effect from "effect/Effect"
import * as Command from "../examples/internal/command.js"
import * as Page from "./page.js"
import * as Story from "./story.js"

Story.run(process.argv.slice(2)).pipe(
  Command.orExit,
  Effect.provide(NodeTerminal.layer),
  Effect.provideService(Page.Page, Page.stdout),
  NodeRuntime.runMain({ disablePrettyLogger: true })
)
