import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { RegistryName } from "../../../spec/RegistryName.js"
import type { Repository } from "../../../spec/Repository.js"
import type { CredentialHelper } from "../../CredentialHelper.js"
import type { Credential, Service } from "../../Credentials.js"
import { CredentialsInvalid } from "../../RegistryError.js"
import * as Combine from "./combine.js"
import * as Document from "./document.js"
import * as File from "./file.js"
import * as Helper from "./helper.js"
import * as Keys from "./keys.js"
import * as Memo from "./memo.js"

type Found = Option.Option<Credential>

/** Why a credential cannot be kept: in files a user name ends at its first colon. */
const unfit = (credential: Credential): string | undefined =>
  credential._tag === "Basic" && /[:\p{Cc}]/u.test(credential.username)
    ? "a user name with a colon or control characters cannot be kept"
    : undefined

const refuse = (registry: RegistryName, reason: string) =>
  new CredentialsInvalid({ registry: registry.toString(), reason })

/** The name that a registry has where credentials are kept. */
type Address = (registry: RegistryName) => string

/** Where a helper may have a registry's credential: Docker and Podman name Docker Hub differently. */
const addresses = (registry: RegistryName): ReadonlyArray<string> =>
  registry.official ? [Keys.address(registry), registry.authority] : [Keys.address(registry)]

/** What helpers say, kept for a while. */
const asking = (address: Address) => {
  const answers = Memo.make<Found, CredentialsInvalid>("5 minutes")
  return {
    get: (helper: CredentialHelper, registry: RegistryName, fresh?: boolean) =>
      addresses(registry).reduce<Effect.Effect<Found, CredentialsInvalid>>(
        (found, server) =>
          Combine.or(found, () => answers.get(`${helper.program} ${server}`, helper.get(server), fresh)),
        Effect.succeedNone
      ),
    store: (helper: CredentialHelper, registry: RegistryName, credential: Credential) =>
      credential._tag === "Token"
        ? refuse(registry, `${helper.program} keeps no bearer tokens`)
        : Effect.zipRight(helper.store(address(registry), credential), answers.clear),
    /** Some helpers fail to erase what is not there. */
    erase: (helper: CredentialHelper, registry: RegistryName) =>
      Effect.forEach(addresses(registry), (server) =>
        Effect.flatMap(helper.get(server), (found) => (Option.isSome(found) ? helper.erase(server) : Effect.void))
      ).pipe(Effect.zipRight(answers.clear))
  }
}

/** Credentials that one helper has. */
export const fromHelper = (helper: CredentialHelper): Service => {
  const asked = asking(Keys.address)
  return {
    lookup: (registry, _, options) => asked.get(helper, registry, options?.fresh),
    store: (registry, credential) => Effect.as(asked.store(helper, registry, credential), Option.some(helper.program)),
    erase: (registry) => asked.erase(helper, registry)
  }
}

/** A document of Docker's shape and where it comes from. */
export interface Options {
  /** What errors call it. */
  readonly name: string
  readonly text: Effect.Effect<Option.Option<string>, CredentialsInvalid, FileSystem.FileSystem>
  /** The file to keep credentials in, if there is one. */
  readonly file?: string | undefined
  /** The name that a registry has in it. */
  readonly address?: Address | undefined
  /** How the document is read; by default as Docker's. */
  readonly read?: ((text: string) => Either.Either<Document.Document, Document.Fault>) | undefined
}

/** Credentials of a document: a helper that it names for a host, or else its helper for all, or else what is in it. */
export const make = ({
  address = Keys.address,
  file,
  name,
  read = Document.read,
  text
}: Options): Effect.Effect<Service, never, Helper.Platform> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<FileSystem.FileSystem | Path.Path>()
    const helperOf = yield* Helper.all
    const asked = asking(address)
    const documents = Memo.make<Document.Document, CredentialsInvalid>("1 minute")

    // said once, however often the file is read
    let warned = ""
    const warn = ({ ignored }: Document.Document) => {
      const names = ignored.slice(0, 10).join(", ")
      if (names === warned) return Effect.void
      warned = names
      return Effect.when(Effect.logWarning(`${name}: the entries for ${names} cannot be read`), () => names !== "")
    }

    const load: Effect.Effect<Document.Document, CredentialsInvalid> = text.pipe(
      Effect.flatMap(
        Option.match({
          onNone: () => Effect.succeed(Document.empty),
          onSome: (text) => Effect.mapError(read(text), (fault) => File.invalid(name, fault))
        })
      ),
      Effect.tap(warn),
      Effect.provide(context)
    )

    const document = (fresh?: boolean) => documents.get("", load, fresh)

    const helperFor = (
      { helpers, store }: Document.Document,
      registry: RegistryName,
      repository?: Repository | undefined
    ) => {
      const program = Keys.find(helpers, registry, repository) ?? store ?? ""
      return program === "" ? undefined : helperOf(program)
    }

    const lookup: Service["lookup"] = (registry, repository, options) =>
      Effect.flatMap(document(options?.fresh), (document) => {
        const own: Found = Option.fromNullable(Keys.find(document.auths, registry, repository))
        const helper = helperFor(document, registry, repository)
        return helper === undefined
          ? Effect.succeed(own)
          : Combine.or(asked.get(helper, registry, options?.fresh), () => Effect.succeed(own))
      })

    const headers: Service["headers"] = () =>
      document().pipe(
        Effect.map(({ headers }) => headers),
        // a file that cannot be read is an error for whoever needs a credential from it
        Effect.orElseSucceed(() => ({}))
      )
    if (file === undefined) return { lookup, headers }

    const write = (registry: RegistryName, credential?: Credential) =>
      File.edit(file, (before) =>
        Document.withCredential(before, Keys.hosts(registry), address(registry), credential)
      ).pipe(Effect.zipRight(documents.clear), Effect.provide(context))

    return {
      lookup,
      headers,
      store: (registry, credential) =>
        Effect.flatMap(document(true), (document) => {
          const reason = unfit(credential)
          if (reason !== undefined) return refuse(registry, reason)
          const helper = helperFor(document, registry)
          if (helper === undefined) return Effect.as(write(registry, credential), Option.some(file))
          // what the file has of it is old, and not for everybody's eyes
          return asked
            .store(helper, registry, credential)
            .pipe(Effect.zipRight(write(registry)), Effect.as(Option.some(helper.program)))
        }),
      erase: (registry) =>
        Effect.flatMap(document(true), (document) => {
          const helper = helperFor(document, registry)
          const kept = helper === undefined ? Effect.void : asked.erase(helper, registry)
          return Effect.zipRight(kept, write(registry))
        })
    }
  })

/** A file of Docker's shape. */
export const fromFile = (file: string, address?: Address): Effect.Effect<Service, never, Helper.Platform> =>
  make({ name: file, text: File.read(file), file, address })
