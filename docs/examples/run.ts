import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeTerminal from "@effect/platform-node/NodeTerminal"
import * as Effect from "effect/Effect"
import * as Command from "./internal/command.js"
import * as Runner from "./internal/runner.js"

Runner.run(process.argv.slice(2)).pipe(
  Command.orExit,
  Effect.provide(NodeTerminal.layer),
  NodeRuntime.runMain({ disablePrettyLogger: true })
)
