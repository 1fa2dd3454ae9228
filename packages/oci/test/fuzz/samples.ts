/** The right documents that the fuzzing begins with. */
import * as MediaType from "effect-oci/MediaType"
import { blob, describeBytes, json } from "../endpoints/given.js"

const layer = { ...blob, mediaType: MediaType.ociLayerGzip }

export const image = {
  schemaVersion: 2,
  mediaType: MediaType.ociManifest,
  config: { ...describeBytes("{}", MediaType.ociEmpty), data: "e30=" },
  layers: [layer, { ...layer, urls: ["https://elsewhere.test/layer"], annotations: { title: "a.txt" } }],
  subject: describeBytes("subject", MediaType.ociManifest),
  artifactType: "application/vnd.example+type",
  annotations: { "org.opencontainers.image.created": "2026-01-01T00:00:00Z" }
}

export const imageBytes = json(image)

const named = (platform: object) => ({ ...describeBytes(imageBytes, MediaType.ociManifest), platform })

/** Its entries are all the one image. */
export const index = {
  schemaVersion: 2,
  mediaType: MediaType.ociIndex,
  manifests: [
    named({ os: "linux", architecture: "amd64" }),
    named({ os: "linux", architecture: "arm64", variant: "v8" }),
    named({ os: "windows", architecture: "amd64", "os.version": "10.0.17763.1", "os.features": ["win32k"] }),
    { ...named({ os: "unknown", architecture: "unknown" }), annotations: { "vnd.docker.reference.type": "x" } }
  ],
  annotations: {}
}

export const indexBytes = json(index)

const docker = {
  schemaVersion: 2,
  mediaType: MediaType.dockerManifest,
  config: describeBytes("{}", MediaType.dockerConfig),
  layers: [{ ...layer, mediaType: MediaType.dockerLayerGzip }]
}

const artifact = {
  mediaType: MediaType.ociArtifactManifest,
  artifactType: "application/vnd.example+type",
  blobs: [layer],
  subject: image.subject
}

const schemaOne = {
  schemaVersion: 1,
  name: "org/app",
  tag: "1.2",
  fsLayers: [{ blobSum: layer.digest }],
  history: [{ v1Compatibility: "{}" }],
  signatures: [{ header: {}, signature: "c2ln", protected: "eyJmb3JtYXRMZW5ndGgiOjEwLCJmb3JtYXRUYWlsIjoiQ24wIn0" }]
}

const { mediaType: _, ...untyped } = image

export const manifests: ReadonlyArray<object> = [
  image,
  untyped,
  index,
  docker,
  { ...index, mediaType: MediaType.dockerManifestList },
  artifact,
  schemaOne
]

export const config = {
  created: "2026-01-01T00:00:00Z",
  architecture: "arm64",
  os: "linux",
  variant: "v8",
  "os.features": ["x"],
  config: {
    User: "0:0",
    ExposedPorts: { "80/tcp": {} },
    Env: ["PATH=/bin"],
    Entrypoint: "sh",
    Cmd: ["-c"],
    Volumes: { "/data": {} },
    Labels: { a: "b" }
  },
  rootfs: { type: "layers", diff_ids: [layer.digest] },
  history: [{ created_by: "RUN", empty_layer: true }]
}

export const errors = {
  errors: [{ code: "MANIFEST_UNKNOWN", message: "manifest unknown", detail: { name: "org/app", digest: layer.digest } }]
}
