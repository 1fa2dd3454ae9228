/**
 * Makes programs as JavaScript like that of the published packages. The loader of TypeScript that everything else here runs
 * on gives each function its name again whenever it is made, which costs our side a quarter of its time and no other.
 */
import * as fs from "node:fs"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import { build } from "esbuild"

const here = fileURLToPath(new URL(".", import.meta.url))

/** Compiles some of this folder's modules to `.mjs` files: the folder that they lie in, which goes with the scope. */
export const compile = (...modules: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => fs.mkdtempSync(`${here}/../node_modules/.bench-`)),
      (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
    )
    yield* Effect.promise(() =>
      build({
        entryPoints: modules.map((name) => `${here}/${name}.ts`),
        outdir: folder,
        entryNames: "[name]",
        outExtension: { ".js": ".mjs" },
        bundle: true,
        platform: "node",
        format: "esm",
        target: "node20",
        logLevel: "error",
        // undici is CommonJS
        banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url)' }
      })
    )
    return folder
  })
