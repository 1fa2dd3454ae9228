import { deletion, errorBodies, listing, manifests, referrers } from "./answers.js"
import { platform, security, transport } from "./exchange.js"
import { pull, push, references } from "./requests.js"
import type { Section } from "./scenario.js"
import { signIn } from "./signIn.js"
import { distribution, image } from "./statements.js"

export const sections: ReadonlyArray<Section> = [
  references,
  signIn,
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
