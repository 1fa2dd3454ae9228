/** Shows the image that the address names, and goes to the one that is typed in. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as Reference from "effect-oci/Reference"
import * as RegistryClient from "effect-oci/RegistryClient"
import * as RegistryRetry from "effect-oci/RegistryRetry"
import * as Image from "./image.js"
import * as View from "./view.js"

const place = (nodes: ReadonlyArray<Node>) =>
  Effect.sync(() => document.querySelector("main")?.replaceChildren(...nodes))

const show = ({ platform, text }: Image.Place) =>
  Effect.gen(function* () {
    yield* place(View.waiting(text))
    const reference = yield* Reference.parse(text)
    const [image, tags] = yield* Effect.all([Image.read(reference, platform), Image.tags(reference)], {
      concurrency: "unbounded"
    })
    yield* place(View.image(image, tags))
  }).pipe(Effect.catchAll((error) => place(View.failed(error.message))))

const input = document.querySelector("input")
document.querySelector("form")?.addEventListener("submit", (event) => {
  event.preventDefault()
  location.hash = Image.toHash({ text: input?.value.trim() ?? "" })
})

/** Who waits in front of a page would rather hear what is wrong, and can ask again. */
const client = RegistryClient.layer.pipe(Layer.provide([FetchHttpClient.layer, RegistryRetry.layer({ tries: 2 })]))

const places = Stream.make(undefined).pipe(
  Stream.concat(Stream.fromEventListener(window, "hashchange")),
  Stream.map(() => Image.fromHash(location.hash)),
  Stream.filter(({ text }) => text !== ""),
  Stream.tap(({ text }) =>
    Effect.sync(() => {
      if (input !== null) input.value = text
    })
  )
)

places.pipe(
  // the newest ends those before it
  Stream.flatMap((at) => Stream.fromEffect(show(at)), { switch: true }),
  Stream.runDrain,
  Effect.provide(client),
  Effect.runFork
)
