import type * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type * as AST from "effect/SchemaAST"

/**
 * A struct as registries really send it: null means absent, as encoders write it for what is empty, `defaults` stand in for
 * what is absent. Fields that the struct does not know survive under `preserving`. One pass, which `Schema.optionalWith` would make two
 * at each level of a document.
 */
export const lenient = <A, I>(
  identifier: string,
  struct: Schema.Schema<A, I> & { readonly fields: Schema.Struct.Fields },
  defaults: { readonly [key: string]: unknown } = {}
): Schema.Schema<A, unknown> => {
  const names = Object.keys(struct.fields)
  const needed = Object.keys(defaults)
  const isTidy = (document: { readonly [key: string]: unknown }): boolean =>
    Object.getPrototypeOf(document) === Object.prototype &&
    names.every((name) => document[name] !== null) &&
    needed.every((name) => Object.hasOwn(document, name))
  const tidy = (document: unknown): unknown => {
    if (!Predicate.isRecord(document) || isTidy(document)) return document
    const tidied: Record<string, unknown> = { ...defaults, ...document }
    for (const name of names) {
      if (tidied[name] !== null) continue
      if (Object.hasOwn(defaults, name)) tidied[name] = defaults[name]
      else delete tidied[name]
    }
    return tidied
  }
  return Schema.transform(Schema.Unknown, struct.annotations({ identifier }), {
    strict: false,
    decode: tidy,
    encode: (document) => document
  }).annotations({ identifier })
}

/** Keeps fields that are not known, here and in all that is within. To look for them costs as much as all the rest. */
export const preserving = <A, I>(schema: Schema.Schema<A, I>): Schema.Schema<A, I> =>
  schema.annotations({ parseOptions: { onExcessProperty: "preserve" } })

/** A schema that is not asked where a look tells that there is nothing in a document to decode or to refuse. */
export const quick = <A>(
  schema: Schema.Schema<A, unknown>,
  isDone: (document: unknown) => document is A,
  identifier: string
): Schema.Schema<A, unknown> =>
  Schema.declare(
    [schema],
    {
      decode: (schema) => (document, options) =>
        isDone(document) ? ParseResult.succeed(document) : ParseResult.decodeUnknown(schema, options)(document),
      encode: (schema) => (value, options) => ParseResult.encodeUnknown(schema, options)(value)
    },
    { identifier, arbitrary: (whole) => whole }
  )

const always = () => true

/** Whether a document has no field that is not known. What it holds is not looked at. */
const plain = (ast: AST.AST): ((document: unknown) => boolean) => {
  switch (ast._tag) {
    case "Transformation":
      return plain(ast.to)
    case "Declaration": {
      const [quick] = ast.typeParameters
      return quick === undefined ? always : plain(quick)
    }
    case "Union": {
      const members = ast.types.map(plain).filter((member) => member !== always)
      return members.length === 0 ? always : (document) => members.every((member) => member(document))
    }
    case "TupleType": {
      const [rest] = ast.rest
      const item = rest === undefined ? always : plain(rest.type)
      return item === always ? always : (document) => !Array.isArray(document) || document.every(item)
    }
    case "TypeLiteral": {
      if (ast.indexSignatures.length > 0) return always
      const fields = new Map(ast.propertySignatures.map(({ name, type }) => [name, plain(type)]))
      return (document) =>
        !Predicate.isRecord(document) || Object.keys(document).every((name) => fields.get(name)?.(document[name]))
    }
    default:
      return always
  }
}

/** A decoder for documents out of JSON that preserves fields where there are any that are not known. */
export const decoder = <A, I>(
  schema: Schema.Schema<A, I>
): ((document: unknown) => Either.Either<A, ParseResult.ParseError>) => {
  const isPlain = plain(schema.ast)
  const decode = Schema.decodeUnknownEither(schema)
  const decodePreserving = Schema.decodeUnknownEither(preserving(schema))
  return (document) => (isPlain(document) ? decode : decodePreserving)(document)
}
