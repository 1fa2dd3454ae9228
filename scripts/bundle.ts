/**
 * Bundles what must run in a browser, which fails on anything that only Node has, and weighs what a small program
 * brings along beside effect and @effect/platform.
 */
import { existsSync } from "node:fs"
import * as path from "node:path"
import { gzipSync } from "node:zlib"
import { type BuildOptions, build } from "esbuild"

const root = path.resolve(import.meta.dirname, "..")
const limit = 20_000

const bundle = async (options: BuildOptions): Promise<Uint8Array> => {
  // esbuild has said what is wrong when it fails
  const { outputFiles } = await build({
    absWorkingDir: root,
    bundle: true,
    format: "esm",
    minify: true,
    platform: "browser",
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
