/**
 * Runs the benchmarks as JavaScript like that of the published packages. The loader of TypeScript that everything else here
 * runs on gives each function its name again whenever it is made, which costs our side a quarter of its time and no other.
 */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

const here = path.dirname(fileURLToPath(import.meta.url))
const out = fs.mkdtempSync(path.join(here, "../node_modules/.bench-"))
try {
  await build({
    entryPoints: ["main", "server"].map((name) => path.join(here, `${name}.ts`)),
    outdir: out,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    logLevel: "error",
    // undici is CommonJS
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url)' }
  })
  const { status } = spawnSync(process.execPath, [path.join(out, "main.mjs"), ...process.argv.slice(2)], {
    stdio: "inherit"
  })
  process.exitCode = status ?? 1
} finally {
  fs.rmSync(out, { recursive: true, force: true })
}
