import { Console, Effect, MutableRef, Stream } from "effect"
import { BlobSource, Blobs, type Reference, Repository } from "effect-oci"

export const description = "end-2 to end-14: puts blobs into a repository by the cheapest way there is"

export const program = ({ repository }: Reference.Reference) =>
  Effect.gen(function* () {
    const bytes = new TextEncoder().encode("whatever way the registry takes")
    const { digest, size } = yield* Blobs.push(repository, bytes, { mediaType: "text/plain" })
    yield* Console.log(`wrote ${repository}@${digest}, ${size} bytes`)

    // a file: BlobSource.file("layer.tar.gz"), where there is a FileSystem
    const progress = MutableRef.make(0)
    const stream = BlobSource.stream(Stream.make(bytes, bytes), { once: true })
    const streamed = yield* Blobs.push(repository, stream, { progress })
    yield* Console.log(`wrote ${repository}@${streamed.digest}, ${progress.current} bytes moved`)

    const other = new Repository.Repository({ ...repository, name: `${repository.name}/other` })
    yield* Blobs.push(other, BlobSource.bytes(bytes, { digest }), { from: repository })
    yield* Console.log(`wrote ${other}@${digest}, which ${repository} has`)
  })
