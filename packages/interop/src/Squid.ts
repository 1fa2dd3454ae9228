/**
 * squid, a proxy that clients ask to connect them to a host.
 */
import * as Command from "@effect/platform/Command"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Daemon from "./Daemon.js"
import * as Tool from "./Tool.js"

export interface Squid {
  /** `http://127.0.0.1:port` */
  readonly url: string
  /** All that it noted, a line for each connection once it has ended. */
  readonly log: Effect.Effect<string>
}

/** Starts it; it ends with the scope. It alone knows where a name leads: to this machine. */
export const make = (name: string) =>
  Effect.gen(function* () {
    const program = yield* Tool.program(Tool.squid)
    const fs = yield* FileSystem.FileSystem
    // started by root it becomes another user, who has to write there
    const folder = yield* fs.makeTempDirectoryScoped({ directory: "/tmp" })
    yield* fs.chmod(folder, 0o777)
    const port = yield* Daemon.freePort
    const config = `
http_port 127.0.0.1:${port}
http_access allow all
hosts_file ${folder}/hosts
# what it can note of a request, its headers too
logformat everything %rm %ru %>Hs %>h
access_log stdio:${folder}/log everything
cache_log ${folder}/cache.log
cache deny all
pid_filename none
coredump_dir ${folder}
netdb_filename none
shutdown_lifetime 0 seconds
`
    yield* fs.writeFileString(`${folder}/squid.conf`, config)
    yield* fs.writeFileString(`${folder}/hosts`, `127.0.0.1 ${name}\n`)
    yield* Daemon.start(Command.make(program, "-N", "-f", `${folder}/squid.conf`), port)
    return { url: `http://127.0.0.1:${port}`, log: Effect.orDie(fs.readFileString(`${folder}/log`)) } satisfies Squid
  })
