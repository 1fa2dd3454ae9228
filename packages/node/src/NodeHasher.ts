/**
 * Hashing by Node itself, several times as fast as the portable way.
 */
import { createHash } from "node:crypto"
import * as Layer from "effect/Layer"
import * as Hasher from "effect-oci/Hasher"

const native: Hasher.Service = {
  make: (algorithm) => {
    const hash = createHash(algorithm)
    return {
      update: (bytes) => {
        hash.update(bytes)
      },
      digest: () => hash.digest()
    }
  }
}

/** Hashes natively, with `node:crypto`. */
export const layer: Layer.Layer<Hasher.Hasher> = Layer.succeed(Hasher.Hasher, native)
