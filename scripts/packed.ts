/** Packs what the build made, installs the tarballs as a stranger would, and uses them from ESM, CommonJS and tsc. */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { published, root } from "./packages.js"

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "effect-oci-packed-"))

const run = (cwd: string, command: string, ...args: ReadonlyArray<string>): void => {
  const { status, stderr, stdout } = spawnSync(command, args, { cwd, encoding: "utf8" })
  if (status === 0) return
  console.log(`${stdout}${stderr}`)
  throw new Error(`failed: ${command} ${args.join(" ")}`)
}
const node = (...args: ReadonlyArray<string>): void => run(folder, process.execPath, ...args)
const pnpm = (cwd: string, ...args: ReadonlyArray<string>): void => {
  // the one that runs this script
  const own = process.env.npm_execpath
  if (own?.includes("pnpm")) run(cwd, process.execPath, own, ...args)
  else run(cwd, "npx", "-y", "pnpm@10", ...args)
}
const write = (name: string, content: string): void => fs.writeFileSync(path.join(folder, name), content)

const esm = `
import { NodeRegistry } from "@effect-oci/node"
import { RegistryServer } from "@effect-oci/registry"
import * as Effect from "effect/Effect"
import { Blobs, Reference } from "effect-oci"
import * as BlobsModule from "effect-oci/Blobs"
import type { Repository } from "effect-oci/Repository"

const repository: Repository = Effect.runSync(Reference.parse("mongo")).repository
if (repository.canonicalName !== "docker.io/mongo") throw new Error(repository.canonicalName)
if (Blobs.get !== BlobsModule.get || Object.keys(NodeRegistry).length * Object.keys(RegistryServer).length === 0) {
  throw new Error("the barrel and its modules differ")
}
`

const commonjs = `
const Effect = require("effect/Effect")
const { Blobs, Reference } = require("effect-oci")
const { NodeRegistry } = require("@effect-oci/node")
const { RegistryServer } = require("@effect-oci/registry")
if (Effect.runSync(Reference.parse("mongo")).repository.localName !== "mongo") throw new Error("mongo")
if (Blobs.get !== require("effect-oci/Blobs").get) throw new Error("loaded twice")
if (Object.keys(NodeRegistry).length * Object.keys(RegistryServer).length === 0) throw new Error("empty")
`

try {
  const dependencies: Record<string, string> = {}
  for (const { folder: from, manifest, name } of published) {
    for (const [peer, version] of Object.entries(manifest.devDependencies)) {
      // a stranger has no optional peers, and does well without
      const optional = manifest.peerDependenciesMeta?.[peer]?.optional === true
      if (!version.startsWith("workspace:") && !optional) dependencies[peer] = version
    }
    pnpm(from, "pack", "--out", path.join(folder, `${path.basename(from)}.tgz`))
    dependencies[name] = `file:./${path.basename(from)}.tgz`
  }
  write("package.json", JSON.stringify({ private: true, type: "module", dependencies }))
  // a workspace of its own, so that nothing is found above it
  write("pnpm-workspace.yaml", "packages: []\n")
  pnpm(folder, "install", "--prefer-offline", "--ignore-scripts", "--no-frozen-lockfile")
  write("consumer.ts", esm)
  write("consumer.cjs", commonjs)
  const tsc = (...args: ReadonlyArray<string>): void =>
    node(
      path.join(root, "node_modules/typescript/bin/tsc"),
      "consumer.ts",
      ...["--strict", "--exactOptionalPropertyTypes", "--target", "es2022", "--skipLibCheck", ...args]
    )
  tsc("--noEmit", "--module", "esnext", "--moduleResolution", "bundler")
  tsc("--module", "nodenext", "--moduleResolution", "nodenext")
  node("consumer.js")
  node("consumer.cjs")
  console.log("the packed tarballs work by import, by require and in tsc (nodenext and bundler)")
} finally {
  fs.rmSync(folder, { recursive: true, force: true })
}
