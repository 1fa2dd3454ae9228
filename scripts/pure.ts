import ts from "typescript"

/**
 * Marks the calls that run while a module loads as free of effects, as all of ours are, so that a bundler drops the
 * classes and schemas that nobody asks for. Calls that stand as statements stay as they are.
 */
export const annotatePure: ts.TransformerFactory<ts.SourceFile> = (context) => {
  const visit = (node: ts.Node): ts.Node => {
    if (ts.isFunctionLike(node) || ts.isPropertyDeclaration(node) || ts.isExpressionStatement(node)) return node
    if (!ts.isCallExpression(node) && !ts.isNewExpression(node)) return ts.visitEachChild(node, visit, context)
    // the mark counts for the whole chain of a(…)(…).b(…), whose end this is
    const args = ts.visitNodes(node.arguments, visit, ts.isExpression)
    const marked = ts.isNewExpression(node)
      ? context.factory.updateNewExpression(node, node.expression, node.typeArguments, args)
      : context.factory.updateCallExpression(node, node.expression, node.typeArguments, args ?? node.arguments)
    return ts.addSyntheticLeadingComment(marked, ts.SyntaxKind.MultiLineCommentTrivia, "#__PURE__")
  }
  return (file) => ts.visitEachChild(file, visit, context)
}
