import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"

/**
 * A struct as registries really send it: null means absent, as encoders write it for what is empty, `defaults` stand in for
 * what is absent, and fields that the struct does not know survive. One pass, which `Schema.optionalWith` would make two
 * at each level of a document.
 */
export const lenient = <A, I>(
  identifier: string,
  struct: Schema.Schema<A, I> & { readonly fields: Schema.Struct.Fields },
  defaults: { readonly [key: string]: unknown } = {}
): Schema.Schema<A, unknown> => {
  const names = Object.keys(struct.fields)
  const tidy = (document: unknown): unknown => {
    if (!Predicate.isRecord(document)) return document
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
  }).annotations({ identifier, parseOptions: { onExcessProperty: "preserve" } })
}
