/**
 * Writes blobs to files with one system call for each batch, the next one on its way while it lasts, and reads them with no
 * more around each piece than that takes.
 */
export * as NodeBlobFiles from "./NodeBlobFiles.js"

/**
 * Hashing by Node itself, several times as fast as the portable way.
 */
export * as NodeHasher from "./NodeHasher.js"

/**
 * The transport that suits registries on Node: undici, with a bounded pool for each origin, proxies from the environment,
 * and connections that outlive a `HEAD`.
 */
export * as NodeHttp from "./NodeHttp.js"

/**
 * All that a program on Node needs to talk to registries, in one layer.
 */
export * as NodeRegistry from "./NodeRegistry.js"
