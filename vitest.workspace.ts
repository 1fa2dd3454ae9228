import { existsSync } from "node:fs"
import { defineWorkspace } from "vitest/config"

const roots = {
  oci: "packages/oci",
  registry: "packages/registry",
  node: "packages/node",
  cli: "packages/cli",
  docs: "docs"
}

export default defineWorkspace(
  Object.entries(roots)
    .filter(([, root]) => existsSync(`${root}/test`))
    .map(([name, root]) => ({ extends: "./vitest.config.ts", test: { name, root, include: ["test/**/*.test.ts"] } }))
)
