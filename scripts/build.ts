/** Makes what is published: ESM, declarations and maps in each package's dist, and the files every package carries. */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"

const root = path.resolve(import.meta.dirname, "..")

for (const name of ["oci", "registry", "node"]) {
  const folder = path.join(root, "packages", name)
  fs.rmSync(path.join(folder, "dist"), { recursive: true, force: true })
  for (const file of ["LICENSE", "README.md"]) {
    if (fs.existsSync(path.join(root, file))) fs.copyFileSync(path.join(root, file), path.join(folder, file))
  }
}
const tsc = path.join(root, "node_modules/typescript/bin/tsc")
process.exitCode =
  spawnSync(process.execPath, [tsc, "--build", "tsconfig.build.json"], { cwd: root, stdio: "inherit" }).status ?? 1
