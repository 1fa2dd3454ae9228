import * as Option from "effect/Option"
import type { Descriptor } from "effect-oci/Descriptor"
import type { Digest } from "effect-oci/Digest"
import * as Manifest from "effect-oci/Manifest"

/** Of a manifest that names a subject: which, and what the list of its referrers must tell. */
export interface Referrer {
  readonly subject: Digest
  /** An index has an artifact type only when it states one. */
  readonly descriptor: Descriptor
}

export const of = ({ descriptor, manifest }: Manifest.ManifestContent): Option.Option<Referrer> =>
  Option.map(Manifest.subject(manifest), (subject) => ({
    subject: subject.digest,
    descriptor: {
      ...descriptor,
      ...Option.match(Manifest.artifactType(manifest), {
        onNone: () => ({}),
        onSome: (artifactType) => ({ artifactType })
      }),
      ...("annotations" in manifest ? { annotations: manifest.annotations } : {})
    }
  }))
