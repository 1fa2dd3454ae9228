/** Brings the tools that are not here yet, one line for each. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Tool from "./Tool.js"

const bring = (tool: Tool.Tool) =>
  tool.version.pipe(
    Effect.map((version) => `${version} is here`),
    Effect.catchTag("ToolMissing", () =>
      Effect.zipRight(tool.install, tool.version).pipe(
        // mirrors and proxies have their moments
        Effect.retry({ times: 1 }),
        Effect.map((version) => `${version} was installed`)
      )
    ),
    Effect.tap((said) => Console.log(`${tool.name} ${said}`)),
    Effect.as(true),
    Effect.catchAll((error) => Effect.as(Console.log(`${tool.name} cannot be had: ${error.message}`), false))
  )

Effect.forEach(Tool.all, bring).pipe(
  Effect.tap((brought) =>
    Effect.sync(() => {
      process.exitCode = brought.every(Boolean) ? 0 : 1
    })
  ),
  Effect.provide(NodeContext.layer),
  NodeRuntime.runMain
)
