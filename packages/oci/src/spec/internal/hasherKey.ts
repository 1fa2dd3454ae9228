/** Names the service of hashing for those who must not bring its default along. */
export const key = "effect-oci/Hasher"
