import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Repository from "effect-oci/Repository"
import * as Server from "../src/Server.js"

/** A repository that no other test knows, on the server of the test. */
export const repository = Effect.flatMap(Server.Host, (host) => Repository.parse(`${host}/test/${crypto.randomUUID()}`))

/** A folder that is gone after the test. */
export const temporary = Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())
