import { it, makeMethods } from "@effect/vitest"

// `layer` of @effect/vitest writes its methods into the one `it` that all files of a worker share: each begins with its own
makeMethods(it)
