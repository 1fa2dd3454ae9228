import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    name: "interop",
    root: import.meta.dirname,
    include: ["test/**/*.test.ts"],
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 60_000
  }
})
