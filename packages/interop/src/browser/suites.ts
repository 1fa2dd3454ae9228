/**
 * What is tested in a page, by the kind of registry that it is tested against. These modules are loaded twice: in Node
 * for the names of the tests, in the page to run them.
 */
import { endpoints } from "../../../oci/test/endpoints/suite/endpoints.js"
import type { It } from "../../../oci/test/endpoints/suite/support.js"
import { closed } from "./suite/closed.js"
import { hiding } from "./suite/hiding.js"
import { redirecting } from "./suite/redirecting.js"

export type Suites = typeof suites

export const suites = {
  /** It names all headers that the client reads. */
  exposing: (it: It) => endpoints(it, {}, false),
  /** It names none. */
  hiding,
  /** It keeps its blobs at yet another origin. */
  redirecting,
  /** It lets no page of another origin in. */
  closed
}
