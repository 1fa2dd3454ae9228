import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    name: "interop",
    root: import.meta.dirname,
    include: ["test/**/*.test.ts"],
    isolate: false,
    // much of the time goes to the programs that are tested with
    maxWorkers: 2,
    minWorkers: 1,
    testTimeout: 60_000,
    hookTimeout: 60_000
  }
})
