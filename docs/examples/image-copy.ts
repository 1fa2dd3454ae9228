import { Console, Effect, Stream } from "effect"
import { Copy, type Reference, RegistryStore, Repository } from "effect-oci"

export const description = "an image into the repository NAME/copy, with all that it is made of and what refers to it"

export const program = ({ repository, target }: Reference.Reference) =>
  Effect.gen(function* () {
    const other = new Repository.Repository({ ...repository, name: `${repository.name}/copy` })
    const copy = Copy.copy(RegistryStore.make(repository), RegistryStore.make(other), {
      root: target,
      tags: ["effect-oci-example"],
      referrers: true
    })
    const ends = yield* Stream.runFold(copy, { Done: 0, Mounted: 0, Skipped: 0 }, (ends, { _tag }) =>
      _tag === "Found" || _tag === "Bytes" ? ends : { ...ends, [_tag]: ends[_tag] + 1 }
    )
    yield* Console.log(`wrote ${other}:effect-oci-example`)
    yield* Console.log(`sent ${ends.Done}, mounted ${ends.Mounted}, there already ${ends.Skipped}`)
  })
