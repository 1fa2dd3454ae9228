import { availableParallelism } from "node:os"
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    // modules are loaded once per worker: tests share no state, and loading them is most of the time
    isolate: false,
    // by default a machine of two cores gets one worker
    maxWorkers: availableParallelism(),
    minWorkers: 1,
    // nothing here waits: a test that takes long runs on a machine that has other things to do
    testTimeout: 30_000,
    setupFiles: [fileURLToPath(new URL("vitest.setup.ts", import.meta.url))],
    // .ci/run counts by the last
    reporters: [
      "default",
      fileURLToPath(new URL("scripts/compliance/reporter.ts", import.meta.url)),
      ...(process.env.CI ? [["json", { outputFile: "node_modules/.cache/tests.json" }] satisfies [string, object]] : [])
    ],
    coverage: {
      provider: "v8",
      // counts statements, not the lines of comments and types
      experimentalAstAwareRemapping: true,
      include: ["packages/oci/src/**/*.ts"],
      exclude: ["**/index.ts"],
      reporter: ["text-summary", "json-summary"],
      thresholds: { lines: 95 }
    }
  }
})
