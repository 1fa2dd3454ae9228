/**
 * Writes what follows from the list of modules: each package's `exports` (sources in the workspace, dist when
 * published) and its `src/index.ts`. With `--check` it only says what differs.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { published } from "./packages.js"

interface Module {
  /** The subpath after the package's name. Folders are rooms, not names, but for `node`: what only Node has says so. */
  readonly subpath: string
  /** Below src, without its extension. */
  readonly file: string
  readonly doc: string | undefined
  /** It imports a package that users may not have: the index, which must load without, leaves it out. */
  readonly optional: boolean
}

/** A comment that opens a file and belongs to the module, not to the declaration below it. */
const leadingDoc = (source: string): string | undefined => {
  const end = source.startsWith("/**") ? source.indexOf("*/") + 2 : 1
  return /^(\n\n|\n?import )/.test(source.slice(end, end + 10)) ? source.slice(0, end) : undefined
}

const modulesOf = (src: string, optionalPeers: ReadonlyArray<string>): ReadonlyArray<Module> =>
  fs
    .readdirSync(src, { recursive: true, encoding: "utf8" })
    .map((file) => file.split(path.sep).join("/"))
    .filter((file) => file.endsWith(".ts") && !/(^|\/)(internal\/|index\.ts$|main\.ts$)/.test(file))
    .sort()
    .map((name) => {
      const file = name.slice(0, -3)
      const base = path.posix.basename(file)
      const source = fs.readFileSync(path.join(src, name), "utf8")
      return {
        subpath: file === `node/${base}` ? file : base,
        file,
        doc: leadingDoc(source),
        optional: optionalPeers.some((peer) => source.includes(`from "${peer}"`))
      }
    })

const exportsOf = <A>(modules: ReadonlyArray<Module>, target: (file: string) => A): Record<string, A | string> => ({
  "./package.json": "./package.json",
  ".": target("index"),
  ...Object.fromEntries(
    modules.map(({ file, subpath }): [string, A] => [`./${subpath}`, target(file)]).sort(([a], [b]) => (a < b ? -1 : 1))
  )
})

const indexOf = (modules: ReadonlyArray<Module>): string =>
  modules
    .filter(({ optional, subpath }) => !optional && !subpath.includes("/"))
    .map(({ doc, file, subpath }) => `${doc ? `\n${doc}\n` : ""}export * as ${subpath} from "./${file}.js"\n`)
    .join("")
    .trimStart() || "export {}\n"

const stale: Array<string> = []

const write = (file: string, content: string): void => {
  if (fs.existsSync(file) && fs.readFileSync(file, "utf8") === content) return
  stale.push(path.relative(process.cwd(), file))
  if (!process.argv.includes("--check")) fs.writeFileSync(file, content)
}

for (const { folder, manifest, name } of published) {
  const modules = modulesOf(path.join(folder, "src"), Object.keys(manifest.peerDependenciesMeta ?? {}))
  const subpaths = modules.map(({ subpath }) => subpath)
  const twice = subpaths.find((subpath, index) => subpaths.indexOf(subpath) !== index)
  if (twice !== undefined) throw new Error(`${name}: two modules are called ${twice}`)
  const exported = {
    exports: exportsOf(modules, (file) => `./src/${file}.ts`),
    publishConfig: {
      access: "public",
      exports: exportsOf(modules, (file) => ({ types: `./dist/${file}.d.ts`, default: `./dist/${file}.js` }))
    }
  }
  write(path.join(folder, "package.json"), `${JSON.stringify({ ...manifest, ...exported }, null, 2)}\n`)
  write(path.join(folder, "src/index.ts"), indexOf(modules))
}

for (const file of stale) console.log(process.argv.includes("--check") ? `out of date: ${file}` : `wrote ${file}`)
if (process.argv.includes("--check") && stale.length > 0) {
  console.log("run: pnpm codegen")
  process.exitCode = 1
}
