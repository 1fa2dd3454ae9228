/** Makes what is published: ESM, declarations and maps in each package's dist, and the files every package carries. */
import * as fs from "node:fs"
import * as path from "node:path"
import ts from "typescript"
import { published, root } from "./packages.js"
import { annotatePure } from "./pure.js"

for (const { folder } of published) {
  fs.rmSync(path.join(folder, "dist"), { recursive: true, force: true })
  for (const file of ["LICENSE", "README.md"]) {
    if (fs.existsSync(path.join(root, file))) fs.copyFileSync(path.join(root, file), path.join(folder, file))
  }
}

const report = (diagnostic: ts.Diagnostic): void => console.error(ts.formatDiagnostic(diagnostic, formatHost))
const formatHost: ts.FormatDiagnosticsHost = {
  getCanonicalFileName: (name) => name,
  getCurrentDirectory: () => root,
  getNewLine: () => "\n"
}
const host = ts.createSolutionBuilderHost(ts.sys, undefined, report)
const builder = ts.createSolutionBuilder(host, [path.join(root, "tsconfig.build.json")], {})
process.exitCode = builder.build(undefined, undefined, undefined, () => ({ after: [annotatePure] }))
