import { Console, Effect, Option, Schema } from "effect"
import { Manifests, MediaType, type Reference } from "effect-oci"

export const description = "a media type of one's own: decodes what it describes, and reads fetched content as it"

// #region own
const Greeting = MediaType.make("application/vnd.example.greeting+json", Schema.Struct({ hello: Schema.String }))

const Platforms = MediaType.make(
  MediaType.ociIndex,
  Schema.Struct({
    manifests: Schema.Array(Schema.Struct({ platform: Schema.Struct({ architecture: Schema.String }) }))
  })
)
// #endregion

export const program = (reference: Reference.Reference) =>
  Effect.gen(function* () {
    const { hello } = yield* Greeting.decode(new TextEncoder().encode(`{"hello":"world"}`))
    yield* Console.log(`hello, ${hello}`)
    const content = yield* Manifests.get(reference)
    const index = content.as(Platforms)
    const names = Option.map(index, ({ manifests }) => manifests.map(({ platform }) => platform.architecture))
    yield* Console.log(`for ${Option.getOrElse(names, () => ["something that is not such an index"]).join(", ")}`)
  })
