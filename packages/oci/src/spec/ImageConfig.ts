import * as Schema from "effect/Schema"
import * as Digest from "./Digest.js"
import { lenient, preserving } from "./internal/lenient.js"
import * as MediaType from "./MediaType.js"

/** How a container of the image runs. image-spec, config.md, `config`. */
export interface Execution {
  /** A user's name or number, with a group's after a colon. */
  readonly User?: string | undefined
  /** The keys are ports: `80/tcp`. */
  readonly ExposedPorts?: { readonly [port: string]: unknown } | undefined
  /** `NAME=value`. */
  readonly Env?: ReadonlyArray<string> | undefined
  readonly Entrypoint?: ReadonlyArray<string> | undefined
  readonly Cmd?: ReadonlyArray<string> | undefined
  /** The keys are paths. */
  readonly Volumes?: { readonly [path: string]: unknown } | undefined
  readonly WorkingDir?: string | undefined
  readonly Labels?: { readonly [key: string]: string } | undefined
  readonly StopSignal?: string | undefined
  /** Docker's: the shell that `RUN` and the like used. */
  readonly Shell?: ReadonlyArray<string> | undefined
}

/** The layers' content: what `diff_ids` name is uncompressed, and stands in the order of the manifest's layers. */
export interface RootFs {
  /** `layers`; nothing else can be unpacked. */
  readonly type: string
  readonly diff_ids: ReadonlyArray<Digest.Digest>
}

/** How one layer came about. */
export interface History {
  readonly created?: string | undefined
  readonly author?: string | undefined
  readonly created_by?: string | undefined
  readonly comment?: string | undefined
  /** Whether the step changed no files, so that no layer belongs to it. */
  readonly empty_layer?: boolean | undefined
}

/** The configuration of an image, OCI's or Docker's. image-spec, config.md. Fields unknown here survive decoding. */
export interface ImageConfig {
  /** RFC 3339. */
  readonly created?: string | undefined
  readonly author?: string | undefined
  /** Empty when the document leaves it out, as artifacts do that borrow this type. */
  readonly architecture: string
  /** Empty when the document leaves it out. */
  readonly os: string
  readonly variant?: string | undefined
  readonly "os.version"?: string | undefined
  readonly "os.features"?: ReadonlyArray<string> | undefined
  readonly config?: Execution | undefined
  readonly rootfs: RootFs
  readonly history?: ReadonlyArray<History> | undefined
}

const text = Schema.optional(Schema.String)
const texts = Schema.optional(Schema.Array(Schema.String))
const keys = Schema.optional(Schema.Record({ key: Schema.String, value: Schema.Unknown }))
// Docker wrote a single word as a plain string once.
const words = Schema.optional(Schema.ArrayEnsure(Schema.String))

const Execution = lenient(
  "Execution",
  Schema.Struct({
    User: text,
    ExposedPorts: keys,
    Env: texts,
    Entrypoint: words,
    Cmd: words,
    Volumes: keys,
    WorkingDir: text,
    Labels: Schema.optional(Schema.Record({ key: Schema.String, value: Schema.String })),
    StopSignal: text,
    Shell: words
  })
)

const RootFs = lenient("RootFs", Schema.Struct({ type: Schema.String, diff_ids: Schema.Array(Digest.Digest) }), {
  type: "layers",
  diff_ids: []
})

const History = lenient(
  "History",
  Schema.Struct({
    created: text,
    author: text,
    created_by: text,
    comment: text,
    empty_layer: Schema.optional(Schema.Boolean)
  })
)

export const ImageConfig: Schema.Schema<ImageConfig, unknown> = preserving(
  lenient(
    "ImageConfig",
    Schema.Struct({
      created: text,
      author: text,
      architecture: Schema.String,
      os: Schema.String,
      "os.version": text,
      "os.features": texts,
      variant: text,
      config: Schema.optional(Execution),
      rootfs: RootFs,
      history: Schema.optional(Schema.Array(History))
    }),
    { architecture: "", os: "", rootfs: {} }
  )
)

/** The configuration of an OCI image. */
export const oci: MediaType.MediaType<ImageConfig> = MediaType.make(MediaType.ociConfig, ImageConfig)

/** The configuration of a Docker image: the same document under Docker's name. */
export const docker: MediaType.MediaType<ImageConfig> = MediaType.make(MediaType.dockerConfig, ImageConfig)

/** The configuration of a Helm chart: what its `Chart.yaml` says, of which these are the fields that it must have or mostly has. */
export interface HelmConfig {
  readonly name: string
  readonly version: string
  readonly apiVersion?: string | undefined
  readonly appVersion?: string | undefined
  readonly description?: string | undefined
  /** `application` or `library`. */
  readonly type?: string | undefined
}

export const HelmConfig: Schema.Schema<HelmConfig, unknown> = preserving(
  lenient(
    "HelmConfig",
    Schema.Struct({
      name: Schema.String,
      version: Schema.String,
      apiVersion: text,
      appVersion: text,
      description: text,
      type: text
    })
  )
)

/** The configuration of a Helm chart. */
export const helm: MediaType.MediaType<HelmConfig> = MediaType.make(MediaType.helmConfig, HelmConfig)

/** A configuration that says nothing: `{}`. */
export type Empty = {}

/** The configuration of an artifact that has none. */
export const empty: MediaType.MediaType<Empty> = MediaType.make(
  MediaType.ociEmpty,
  Schema.Record({ key: Schema.String, value: Schema.Never })
)
