import { it, makeMethods } from "@effect/vitest"
import { watch } from "./vitest.leftovers.js"

// `layer` of @effect/vitest writes its methods into the one `it` that all files of a worker share: each begins with its own
makeMethods(it)

watch()
