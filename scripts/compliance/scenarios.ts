import { deletion, errorBodies, listing, manifests, referrers } from "./answers.js"
import { platform, security, transport } from "./exchange.js"
import { pull, push, references } from "./requests.js"
import type { Section } from "./scenario.js"
import { distribution, image } from "./statements.js"

export const sections: ReadonlyArray<Section> = [
  references,
  pull,
  push,
  manifests,
  referrers,
  listing,
  deletion,
  transport,
  security,
  platform,
  errorBodies,
  distribution,
  image
]

/** Scenarios of parts that are not written yet. Some titles name them already. */
export const later: ReadonlyArray<readonly [ids: string, what: string]> = [["A1 to A66", "signing in"]]
