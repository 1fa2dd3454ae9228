import { defineWorkspace } from "vitest/config"

// one project for all: each would start workers of its own, and loading effect takes longer than most tests
export default defineWorkspace([
  {
    extends: "./vitest.config.ts",
    test: {
      name: "workspace",
      include: ["packages/{oci,registry,node,cli}/test/**/*.test.ts", "docs/test/**/*.test.ts"]
    }
  }
])
