import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, layer, makeMethods } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { serve } from "../../../docs/examples/browser/serve.js"
import * as Chromium from "../src/browser/Chromium.js"
import * as Origins from "../src/browser/origins.js"

/** The address that `pnpm page` tells. */
class Address extends Context.Tag("@effect-oci/interop/test/Address")<Address, string>() {}

const chromium = Layer.provide(Chromium.layer, NodeContext.layer)

/** The page, and what is done with it. */
const opened = (options?: { readonly dark?: boolean }) =>
  Effect.gen(function* () {
    const address = yield* Address
    const { open } = yield* Chromium.Chromium
    const page = yield* open(address, options)
    const part = (title: string) =>
      page.locator("section, nav").filter({ has: page.getByRole("heading", { name: title, exact: true }) })
    return {
      host: new URLSearchParams(new URL(address).hash.slice(1)).get("ref")?.split("/")[0] ?? "",
      shows: (title: string, ...texts: ReadonlyArray<string>) =>
        Effect.forEach(texts, (text) => Effect.promise(() => part(title).getByText(text, { exact: true }).waitFor())),
      follow: (name: string) => Effect.promise(() => page.getByRole("link", { name, exact: true }).click()),
      back: Effect.promise(() => page.goBack()),
      ask: (reference: string) =>
        Effect.promise(async () => {
          await page.getByLabel("Reference of an image").fill(reference)
          await page.getByRole("button", { name: "Show" }).press("Enter")
        }),
      reference: Effect.promise(() => page.getByLabel("Reference of an image").inputValue()),
      alerts: (text: string | RegExp) =>
        Effect.promise(() => page.getByRole("alert").filter({ hasText: text }).waitFor()),
      title: Effect.promise(() => page.locator("main > h2").textContent()),
      /** The lightness of what a style gives, from 0 to 255. */
      lightness: (style: "color" | "backgroundColor") =>
        Effect.promise(() =>
          page.evaluate((style) => Number(/\d+/.exec(getComputedStyle(document.body)[style])?.[0]), style)
        )
    }
  })

const layers = Layer.merge(Layer.scoped(Address, serve), chromium)

layer(layers, { excludeTestServices: true, timeout: "60 seconds" })("the page that looks into registries", (it) => {
  it.scoped("shows an image's tags, manifest, layers and config", () =>
    Effect.gen(function* () {
      const { shows } = yield* opened()
      yield* shows("Tags", "1.0", "1.1")
      yield* shows("Manifest", "application/vnd.oci.image.manifest.v1+json", "org.opencontainers.image.title=hello")
      yield* shows("Layers: 2, 61.4 kB", "10.2 kB", "51.2 kB")
      yield* shows("Config", "linux/amd64", "/bin/hello", "NAME=world", "COPY bin/hello /bin/hello")
    })
  )

  it.scoped("goes to another platform and another tag, and back", () =>
    Effect.gen(function* () {
      const { back, follow, host, reference, shows, title } = yield* opened()
      yield* follow("linux/arm64")
      yield* shows("Config", "linux/arm64")
      yield* follow("1.0")
      yield* shows("Config", "linux/amd64")
      assert.strictEqual(yield* title, `${host}/org/hello:1.0`)
      assert.strictEqual(yield* reference, `${host}/org/hello:1.0`)
      yield* back
      yield* shows("Config", "linux/arm64")
      assert.strictEqual(yield* title, `${host}/org/hello:1.1`)
    })
  )

  it.scoped("shows what is typed in", () =>
    Effect.gen(function* () {
      const { ask, host, shows, title } = yield* opened()
      yield* shows("Config", "linux/amd64")
      yield* ask(`${host}/org/hello:1.0`)
      yield* shows("Config", "linux/amd64")
      assert.strictEqual(yield* title, `${host}/org/hello:1.0`)
    })
  )

  it.scoped("says in the library's words what is wrong", () =>
    Effect.gen(function* () {
      const { alerts, ask, host } = yield* opened()
      yield* ask("localhost/ORG")
      yield* alerts("invalid reference “localhost/ORG”: its repository has capital letters")
      yield* ask(`${host}/org/hello:9`)
      yield* alerts(`${host}/org/hello:9: no such manifest`)
    })
  )

  it.scoped("says that a registry does not let it in", () =>
    Effect.gen(function* () {
      const { alerts, ask } = yield* opened()
      const { closed } = yield* Origins.registries
      yield* ask(`${closed}/org/app`)
      yield* alerts(/often the registry lets no pages of http:\/\/127\.0\.0\.1:\d+ in \(CORS\)/)
    })
  )

  for (const dark of [false, true]) {
    it.scoped(`is ${dark ? "dark" : "light"} where that is preferred`, () =>
      Effect.gen(function* () {
        const { lightness } = yield* opened({ dark })
        const [text, back] = [yield* lightness("color"), yield* lightness("backgroundColor")]
        assert.isAbove(dark ? text - back : back - text, 180)
      })
    )
  }

  // `layer` changes the `it` that all tests of this worker share; this changes it back
  makeMethods(it)
})
