/** Fails on a regular expression in the sources that some input keeps busy for more than linear time. */
import * as fs from "node:fs"
import * as path from "node:path"
import { checkSync } from "recheck"
import ts from "typescript"
import { root } from "./packages.js"

process.env.RECHECK_SYNC_BACKEND = "pure"

interface Literal {
  readonly place: string
  /** `/source/flags`, or undefined where it is put together at run time. */
  readonly text: string | undefined
}

const literals = (file: string): ReadonlyArray<Literal> => {
  const source = ts.createSourceFile(file, fs.readFileSync(file, "utf8"), ts.ScriptTarget.Latest)
  const found: Array<Literal> = []
  const visit = (node: ts.Node): void => {
    const made =
      (ts.isNewExpression(node) || ts.isCallExpression(node)) &&
      ts.isIdentifier(node.expression) &&
      node.expression.text === "RegExp"
    if (made || ts.isRegularExpressionLiteral(node)) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart(source))
      found.push({ place: `${path.relative(root, file)}:${line + 1}`, text: made ? undefined : node.getText(source) })
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

const problem = ({ text }: Literal): string | undefined => {
  if (text === undefined) return "RegExp made at run time: write a literal, or a scanner"
  const end = text.lastIndexOf("/")
  const result = checkSync(text.slice(1, end), text.slice(end + 1))
  if (result.status === "safe") return undefined
  return result.status === "vulnerable"
    ? `${text} takes ${result.complexity.summary} time, for example on ${result.attack.pattern}`
    : `${text} could not be judged (${result.error.kind})`
}

const sources = fs.readdirSync(path.join(root, "packages")).flatMap((name) => {
  const folder = path.join(root, "packages", name, "src")
  if (!fs.existsSync(folder)) return []
  const files = fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"))
  return files.map((file) => path.join(folder, file))
})
const found = sources.flatMap(literals)
for (const literal of found) {
  const wrong = problem(literal)
  if (wrong === undefined) continue
  console.log(`${literal.place}: ${wrong}`)
  process.exitCode = 1
}
console.log(`${found.length} in ${sources.length} files`)
