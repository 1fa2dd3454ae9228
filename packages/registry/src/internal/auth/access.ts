import type { Incoming } from "../incoming.js"
import * as Names from "../names.js"
import type { Route } from "../route.js"

/** What can be done with a repository, in the words of token scopes. */
export type Action = "pull" | "push" | "delete"

/** Who may do what, whatever the way to sign in. */
export interface Users {
  /** Passwords by user. */
  readonly users: Readonly<Record<string, string>>
  /**
   * What users may do, by repository, or by `*` for all others: with `{ bob: { "org/app": ["pull"] } }` bob may pull
   * `org/app` and nothing else. A user who is not named here may do everything, and no other may list the catalogue.
   */
  readonly access?: Readonly<Record<string, Readonly<Record<string, ReadonlyArray<Action>>>>> | undefined
  /** Whether everyone may pull everything without signing in. Default: false. */
  readonly anonymousPull?: boolean | undefined
}

/** Something and what is to be done with it: `repository:org/app:pull,push`, `registry:catalog:*`. */
export interface Scope {
  readonly resource: string
  readonly actions: ReadonlyArray<string>
}

export const format = ({ actions, resource }: Scope): string => `${resource}:${actions.join(",")}`

/** Names may have colons too: the resource's type ends with the first, the actions begin after the last. */
export const parse = (text: string): Scope => {
  const end = text.lastIndexOf(":")
  return { resource: text.slice(0, Math.max(0, end)), actions: text.slice(end + 1).split(",") }
}

export const repository = (name: string): string => `repository:${name}`

const own = <A>(record: Readonly<Record<string, A>> | undefined, key: string): A | undefined =>
  record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined

/** Everything, as far as it goes. */
const everything: ReadonlyArray<Action> = ["pull", "push", "delete"]

/** All that a user may do with something; without a user, all that everyone may. */
export const rights = (
  { access, anonymousPull }: Users,
  user: string | undefined,
  resource: string
): ReadonlyArray<string> => {
  const rules = user === undefined ? {} : own(access, user)
  if (resource === "registry:catalog") return rules === undefined ? ["*"] : []
  if (!resource.startsWith("repository:")) return []
  if (rules === undefined) return everything
  const name = resource.slice("repository:".length)
  const allowed = own(rules, name) ?? own(rules, "*") ?? []
  return anonymousPull === true && !allowed.includes("pull") ? ["pull", ...allowed] : allowed
}

export const may = (users: Users, user: string | undefined, { actions, resource }: Scope): boolean => {
  const allowed = rights(users, user, resource)
  return actions.every((action) => allowed.includes(action))
}

export const mayPull = (users: Users, user: string | undefined, name: string): boolean =>
  may(users, user, { resource: repository(name), actions: ["pull"] })

export const isPassword = ({ users }: Users, user: string, password: string): boolean => own(users, user) === password

const actions = (method: string): ReadonlyArray<Action> => {
  switch (method) {
    case "GET":
    case "HEAD":
      return ["pull"]
    case "DELETE":
      return ["delete"]
    default:
      return ["pull", "push"]
  }
}

/** What a request needs, as CNCF distribution has it: to cancel an upload is to delete. */
export const needed = (route: Route, { method }: Incoming): Scope | undefined => {
  if ("name" in route) return { resource: repository(route.name), actions: actions(method) }
  return route._tag === "Catalog" ? { resource: "registry:catalog", actions: ["*"] } : undefined
}

/** What makes a request's wish come true: a mount can be done only from what one may pull. */
export const wished = (route: Route, incoming: Incoming): ReadonlyArray<Scope> => {
  const need = needed(route, incoming)
  const from = route._tag === "Uploads" && incoming.query.has("mount") ? incoming.query.get("from") : null
  return [
    ...(need === undefined ? [] : [need]),
    ...(from !== null && Names.isRepository(from) ? [{ resource: repository(from), actions: ["pull"] }] : [])
  ]
}
