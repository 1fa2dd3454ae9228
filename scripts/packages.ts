import * as fs from "node:fs"
import * as path from "node:path"

export const root: string = path.resolve(import.meta.dirname, "..")

export interface Package {
  /** As npm knows it. */
  readonly name: string
  readonly folder: string
  /** Its package.json. */
  readonly manifest: Record<string, unknown> & {
    readonly devDependencies: Record<string, string>
    readonly peerDependenciesMeta?: Record<string, { readonly optional: boolean }>
  }
}

/** The packages that are published, which is all that are not private. */
export const published: ReadonlyArray<Package> = fs
  .readdirSync(path.join(root, "packages"))
  .map((entry) => path.join(root, "packages", entry))
  .filter((folder) => fs.existsSync(path.join(folder, "package.json")))
  .map((folder) => ({ folder, manifest: JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8")) }))
  .filter(({ manifest }) => manifest.private !== true)
  .map(({ folder, manifest }) => ({ name: manifest.name, folder, manifest }))
