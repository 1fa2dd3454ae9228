/** Of `BlobFiles`, for those who need not bring it along. */
export const key = "effect-oci/BlobFiles"
