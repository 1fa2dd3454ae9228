import * as Either from "effect/Either"
import type { InvalidReference } from "../../../spec/internal/referenceText.js"
import { invalid, looksLikeRegistry, splitScheme } from "../../../spec/internal/referenceText.js"
import * as Reference from "../../../spec/Reference.js"
import type { ShortNames } from "../../RegistryHosts.js"

/** What a name without a registry may mean: its alias, else the same name on each registry that is searched. */
export const candidates = (
  text: string,
  names: ShortNames | undefined
): Either.Either<ReadonlyArray<Reference.Reference>, InvalidReference> => {
  const { prefix, rest } = splitScheme(text)
  const slash = rest.indexOf("/")
  if (prefix !== "" || (slash !== -1 && looksLikeRegistry(rest.slice(0, slash)))) {
    return Either.map(Reference.parse(text), (reference) => [reference])
  }
  const [name = ""] = text.split(/[:@]/, 1)
  const alias = names?.aliases.get(name)
  if (alias !== undefined && alias !== "") {
    return Either.map(Reference.parse(alias + text.slice(name.length)), (reference) => [reference])
  }
  if (names === undefined || names.search.length === 0) {
    return Either.left(invalid(text, "it has no registry, no alias, and no registries are searched for such names"))
  }
  return Either.all(names.search.map((registry) => Reference.parse(`${registry}/${text}`)))
}
