export * as RegistryServer from "./RegistryServer.js"
export * as RegistryStorage from "./RegistryStorage.js"

/**
 * A transport that plays a script: which requests come, and what each is answered, as a conversation. A request that the
 * script does not have fails the test, and so do, when it ends, a step that was not used, an answer whose body was neither
 * read nor given up, and a secret that went where it must not go.
 *
 * ```ts
 * const registry = Script.layerTest(
 *   Script.expect("GET", "/v2/org/app/manifests/9").answer(404, Script.refusal("MANIFEST_UNKNOWN"))
 * )
 *
 * it.effect("says that there is none", () =>
 *   Effect.map(Effect.flip(Manifests.get(reference)), ({ _tag }) => assert.strictEqual(_tag, "ManifestUnknown")).pipe(
 *     Effect.provide(registry)
 *   ))
 * ```
 *
 * Requests are answered in the fiber that sends them and on its clock. What only bytes on a wire can tell is for the same
 * script on `node/ScriptServer`.
 */
export * as Script from "./Script.js"
