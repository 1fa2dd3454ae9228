/**
 * Bundles what must run in a browser, which fails on anything that only Node has, and weighs what a small program
 * brings along beside effect and @effect/platform.
 */
import { existsSync, readFileSync } from "node:fs"
import * as path from "node:path"
import { gzipSync } from "node:zlib"
import { type BuildOptions, build, type Plugin } from "esbuild"
import ts from "typescript"
import { root } from "./packages.js"
import { annotatePure } from "./pure.js"

const limit = 35_000

/** Gives esbuild the sources as the build publishes them. */
const asPublished: Plugin = {
  name: "as published",
  setup: ({ onLoad }) =>
    onLoad({ filter: /[\\/]packages[\\/][a-z]+[\\/]src[\\/].*\.ts$/ }, ({ path: fileName }) => {
      const compilerOptions = {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2022,
        verbatimModuleSyntax: true
      }
      const options = { fileName, compilerOptions, transformers: { after: [annotatePure] } }
      return { contents: ts.transpileModule(readFileSync(fileName, "utf8"), options).outputText, loader: "js" }
    })
}

const bundle = async (options: BuildOptions): Promise<Uint8Array> => {
  // esbuild has said what is wrong when it fails
  const { outputFiles } = await build({
    absWorkingDir: root,
    bundle: true,
    format: "esm",
    minify: true,
    platform: "browser",
    plugins: [asPublished],
    target: "es2022",
    write: false,
    ...options
  }).catch(() => process.exit(1))
  return outputFiles?.[0]?.contents ?? new Uint8Array()
}

for (const name of ["oci", "registry"]) await bundle({ entryPoints: [`packages/${name}/src/index.ts`] })

const program = `
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Manifests from "effect-oci/Manifests"
import * as Reference from "effect-oci/Reference"
import * as RegistryClient from "effect-oci/RegistryClient"

Reference.parse("ghcr.io/org/app:1.2").pipe(
  Effect.flatMap((reference) => Manifests.get(reference)),
  Effect.provide(RegistryClient.layer.pipe(Layer.provide(FetchHttpClient.layer))),
  Effect.runFork
)`

if (
  ["Manifests", "RegistryClient"].every((name) => existsSync(path.join(root, `packages/oci/src/client/${name}.ts`)))
) {
  const external = ["effect", "effect/*", "@effect/platform", "@effect/platform/*"]
  const bytes = await bundle({ external, stdin: { contents: program, resolveDir: root, loader: "ts" } })
  const size = gzipSync(bytes, { level: 9 }).byteLength
  console.log(`Manifests.get over fetch is ${(size / 1000).toFixed(1)} KB gzipped of ${limit / 1000} KB`)
  if (size >= limit) process.exitCode = 1
}
