/**
 * How blobs come into files, and out of them. The default goes over `FileSystem`; a platform may know a faster way.
 */
export * as BlobFiles from "./client/BlobFiles.js"

/**
 * Where the bytes of a blob come from when it is pushed: memory, a file, or any stream.
 */
export * as BlobSource from "./client/BlobSource.js"

/**
 * Blobs: content by digest (end-2, end-10). What is read is verified, always.
 */
export * as Blobs from "./client/Blobs.js"

/**
 * The repositories of a registry: `_catalog`, an extension that many registries have and the large ones refuse.
 */
export * as Catalog from "./client/Catalog.js"

/**
 * Programs that keep credentials: Docker's credential helpers, which are found on the PATH as `docker-credential-<name>`.
 */
export * as CredentialHelper from "./client/CredentialHelper.js"

/**
 * Who we are to a registry. How that is said is `RegistryAuth`'s business.
 */
export * as Credentials from "./client/Credentials.js"

/**
 * Manifests: what a tag or a digest names (end-3, end-7, end-9). Their bytes are kept and verified; what is read from them
 * is beside.
 */
export * as Manifests from "./client/Manifests.js"

/**
 * What a request is for, as every policy and observer is told: one endpoint, on one registry, of one repository.
 */
export * as Operation from "./client/Operation.js"

/**
 * The one judge of every URL that a server hands us: redirects, upload locations, links to a next page, token services. It
 * says where a request may go, and whether our credentials may go along.
 */
export * as OriginPolicy from "./client/OriginPolicy.js"

/**
 * Referrers: the manifests that name another one as their subject, such as signatures and SBOMs (end-12), and how to attach
 * one (end-7).
 */
export * as Referrers from "./client/Referrers.js"

/**
 * A registry as such: whether it is there and speaks the protocol (end-1).
 */
export * as Registry from "./client/Registry.js"

/**
 * How we say who we are.
 */
export * as RegistryAuth from "./client/RegistryAuth.js"

/**
 * The client that every endpoint asks for: an `HttpClient` under the policies of registries.
 */
export * as RegistryClient from "./client/RegistryClient.js"

/**
 * Everything that can go wrong, one class per failure. Each has the facts a person needs to act (registry, repository,
 * reference or digest, method and URL without its query, status, the registry's own codes) and a message that reads
 * well in a terminal and holds no secret. All of them are Schemas, so they cross RPC, workflows and logs.
 */
export * as RegistryError from "./client/RegistryError.js"

/**
 * What is particular to a registry's host: its scheme, a path in front of `/v2/`, its mirrors, how much is asked of it at a
 * time, and how much of its answers we take.
 */
export * as RegistryHosts from "./client/RegistryHosts.js"

/**
 * What a client remembers between calls: tokens, how a host is doing, what it can do. Policies are values without state,
 * shared by all clients of a program; what one of them must remember lies in a slot of its own, once for each client.
 *
 * ```ts
 * const seen = RegistryMemory.slot(() => new Set<string>())
 * const policy: RegistryRetry.Service = ({ memory }, next) => … seen(memory) …
 * ```
 */
export * as RegistryMemory from "./client/RegistryMemory.js"

/**
 * A place for the user's own: rewrite paths, add headers, record, cache. It sees each request of an operation before
 * retries and authentication, and the final answer after them.
 */
export * as RegistryMiddleware from "./client/RegistryMiddleware.js"

/**
 * Every exchange with a registry as data: each hop of a redirect, each attempt, and the warnings that registries send.
 */
export * as RegistryObserver from "./client/RegistryObserver.js"

/**
 * Whether and when a request is made again.
 *
 * What may succeed the second time is made again, up to five times: broken connections, silence, throttling (429) and
 * outages (408, 499, 5xx), for requests that do no harm twice (GET, HEAD, DELETE, PUT of a manifest, the start of an upload)
 * and whose body is still there. Throttling is waited for whatever the method. What was refused (400, 401, 403, 404 and so
 * on) is not asked again.
 *
 * All calls of a client to one host share what is known of it: a `Retry-After` makes all of them wait, several failures in a
 * row slow all of them, and there is a budget for retries, so that a dead host is not hammered by those who hope.
 */
export * as RegistryRetry from "./client/RegistryRetry.js"

/**
 * A transport that ties answers to a Scope, and bounds the wait for them, by itself. For every other one the client does it,
 * by an `AbortSignal` and a fiber for each request, which cost as much as sending a small one.
 */
export * as ScopedTransport from "./client/ScopedTransport.js"

/**
 * The tags of a repository (end-8, end-9).
 */
export * as Tags from "./client/Tags.js"

/**
 * Uploads of blobs: sessions, chunks, mounts (end-4, end-5, end-6, end-11, end-13, end-14).
 */
export * as Uploads from "./client/Uploads.js"

/**
 * Places that hold content: by its digest, and by the names that some of it has. A store is a plain value; what reads and what
 * writes are apart, so that what can only be read is no target.
 */
export * as ContentStore from "./content/ContentStore.js"

/**
 * Copies of whole content graphs: an image or an index with all that it is made of, byte for byte, from one store to another.
 */
export * as Copy from "./content/Copy.js"

/**
 * A store of content in the memory of this process: for tests, and for what is made here before it is pushed.
 */
export * as MemoryStore from "./content/MemoryStore.js"

/**
 * A repository of a registry as a store of content.
 */
export * as RegistryStore from "./content/RegistryStore.js"
export * as Annotations from "./spec/Annotations.js"
export * as Descriptor from "./spec/Descriptor.js"
export * as Digest from "./spec/Digest.js"
export * as Hasher from "./spec/Hasher.js"
export * as ImageConfig from "./spec/ImageConfig.js"
export * as Manifest from "./spec/Manifest.js"
export * as MediaType from "./spec/MediaType.js"
export * as Platform from "./spec/Platform.js"
export * as Reference from "./spec/Reference.js"
export * as RegistryName from "./spec/RegistryName.js"
export * as Repository from "./spec/Repository.js"
