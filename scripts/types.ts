/**
 * Checks the types of everything, and in the same program what the Effect language service knows: a floating Effect, a
 * leaked requirement. Warnings count as errors.
 */
import { createRequire } from "node:module"
import * as path from "node:path"
import ts from "typescript"
import { root } from "./packages.js"

type Transform = (
  program: ts.Program,
  config: unknown,
  extras: { readonly ts: typeof ts; readonly addDiagnostic: (diagnostic: ts.Diagnostic) => void }
) => (context: unknown) => (file: ts.SourceFile) => ts.SourceFile

const effect: { readonly default: Transform } = createRequire(import.meta.url)("@effect/language-service/transform.js")

const host: ts.ParseConfigFileHost = {
  ...ts.sys,
  onUnRecoverableConfigFileDiagnostic: (diagnostic) => report([diagnostic])
}
const formatHost: ts.FormatDiagnosticsHost = {
  getCanonicalFileName: (name) => name,
  getCurrentDirectory: ts.sys.getCurrentDirectory,
  getNewLine: () => "\n"
}

const report = (diagnostics: ReadonlyArray<ts.Diagnostic>): void => {
  if (diagnostics.length > 0) process.exitCode = 1
  const format = process.stdout.isTTY ? ts.formatDiagnosticsWithColorAndContext : ts.formatDiagnostics
  process.stdout.write(format(diagnostics, formatHost))
}

/** The helpers of tests may take any error. */
const lenient = ({ file, messageText }: ts.Diagnostic): boolean =>
  file?.fileName.includes("/test/") === true &&
  /effect\((anyUnknownInErrorContext|globalErrorInEffectFailure)\)$/.test(
    ts.flattenDiagnosticMessageText(messageText, "")
  )

const config = ts.getParsedCommandLineOfConfigFile(path.join(root, "tsconfig.json"), {}, host)
if (config !== undefined) {
  const { errors, fileNames: rootNames, options } = config
  const program = ts.createProgram({ rootNames, options, configFileParsingDiagnostics: errors })
  const found = [...ts.getPreEmitDiagnostics(program)]
  const addDiagnostic = (diagnostic: ts.Diagnostic): void => {
    if (!lenient(diagnostic)) found.push(diagnostic)
  }
  const plugins = Array.isArray(options.plugins) ? options.plugins : []
  const check = effect.default(program, plugins[0], { ts, addDiagnostic })(undefined)
  const own = program.getSourceFiles().filter((file) => !file.fileName.includes("/node_modules/"))
  for (const file of own) check(file)
  report(ts.sortAndDeduplicateDiagnostics(found))
  console.log(`${own.length} files`)
}
