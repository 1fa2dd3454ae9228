import type { Operation } from "../../Operation.js"

/** What a token is for: actions on a resource, as `pull` on `repository:org/app`. One that we do not know has none. */
export interface Scope {
  readonly resource: string
  /** Sorted, none twice; `*` is all of them, and stands alone. */
  readonly actions: ReadonlyArray<string>
}

/** No resource twice. The first is what the request is about: some token services read no further. */
export type Scopes = ReadonlyArray<Scope>

const pull = ["pull"]
const push = ["pull", "push"]

const canonical = (actions: ReadonlyArray<string>): ReadonlyArray<string> => {
  if (actions.includes("*")) return ["*"]
  return [...new Set(actions.includes("push") ? [...actions, "pull"] : actions)].sort()
}

/** Reads one scope. A repository's name may hold colons, actions do not. */
const parse = (text: string): Scopes => {
  if (!/^(?:repository|registry)(?:\([^()]{0,64}\))?:/.test(text)) return [{ resource: text, actions: [] }]
  const at = text.lastIndexOf(":")
  const actions = canonical(
    text
      .slice(at + 1)
      .split(",")
      .filter((action) => action !== "")
  )
  return actions.length === 0 ? [] : [{ resource: text.slice(0, at), actions }]
}

/** More scopes than anybody asks for in one go. */
const most = 100

/** Reads the `scope` of a challenge. */
export const parseAll = (text: string | undefined): Scopes =>
  union(
    [],
    (text ?? "")
      .split(" ")
      .filter((scope) => scope !== "")
      .slice(0, most)
      .flatMap(parse)
  )

/** All of both, those of the first in front. */
export const union = (first: Scopes, second: Scopes): Scopes => {
  const all = new Map<string, ReadonlyArray<string>>()
  for (const { actions, resource } of [...first, ...second]) {
    all.set(resource, canonical([...(all.get(resource) ?? []), ...actions]))
  }
  return [...all].map(([resource, actions]) => ({ resource, actions }))
}

export const render = ({ actions, resource }: Scope): string =>
  actions.length === 0 ? resource : `${resource}:${actions.join(",")}`

/** Whether a token for some scopes will do for others. */
export const covers = (scopes: Scopes, needed: Scopes): boolean =>
  needed.every(({ actions, resource }) => {
    const known = scopes.find((scope) => scope.resource === resource)
    return (
      known !== undefined && (known.actions[0] === "*" || actions.every((action) => known.actions.includes(action)))
    )
  })

export const isDelete = ({ name }: Operation): boolean =>
  name === "blobs.delete" || name === "manifests.delete" || name === "tags.delete"

/** What deletes need is not agreed upon; each of these is all that some registry grants. */
export const deleting: ReadonlyArray<ReadonlyArray<string>> = [["*"], ["delete", "pull", "push"], push]

/** What an operation is about. */
export const resourceOf = ({ name, repository }: Operation): string =>
  repository !== undefined ? `repository:${repository.name}` : name === "catalog.list" ? "registry:catalog" : ""

const actionsOf = ({ name }: Operation): ReadonlyArray<string> => {
  switch (name) {
    case "catalog.list":
      return ["*"]
    case "manifests.put":
    case "uploads.start":
    case "uploads.post":
    case "uploads.patch":
    case "uploads.finish":
    case "uploads.mount":
    case "uploads.status":
    case "uploads.cancel":
      return push
    default:
      return pull
  }
}

/** What an operation needs. A delete needs what was found out before; nothing is known of it otherwise. */
export const needed = (operation: Operation, deletes: ReadonlyArray<string> = []): Scopes => {
  const resource = resourceOf(operation)
  if (resource === "") return []
  const own = { resource, actions: isDelete(operation) ? deletes : actionsOf(operation) }
  const { from, name } = operation
  return name === "uploads.mount" && from !== undefined
    ? union([own], [{ resource: `repository:${from.name}`, actions: pull }])
    : [own]
}

/**
 * What the challenge to an operation adds to what it needs. Where no repository was asked for, one in the challenge is a
 * placeholder.
 */
export const added = ({ repository }: Operation, scopes: Scopes): Scopes =>
  repository === undefined ? scopes.filter(({ resource }) => !resource.startsWith("repository")) : scopes

/** Those of a challenge that are about no repository, such as `*` or `aws`: they go with every request. */
export const everywhere = (scopes: Scopes): Scopes => scopes.filter(({ resource }) => !resource.includes(":"))
