/**
 * nginx, as the tests set it up in front of a registry.
 */
import * as Command from "@effect/platform/Command"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { lines } from "./Client.js"
import * as Daemon from "./Daemon.js"
import * as Tool from "./Tool.js"

export interface Nginx {
  /** Where it listens: `127.0.0.1:port`. */
  readonly host: string
  /** A line for each request: method, path, status and whether credentials came with it. */
  readonly log: Effect.Effect<ReadonlyArray<string>>
}

/** Hands requests on as they come, to any host. */
export const to = (host: string): string => `
  proxy_pass http://${host};
  proxy_set_header Host $http_host;
  proxy_http_version 1.1;
  proxy_request_buffering off;`

/** Starts it with directives for its one server and, where need be, for all of http. It ends with the scope. */
export const make = (server: string, http = "") =>
  Effect.gen(function* () {
    const program = yield* Tool.program(Tool.nginx)
    const fs = yield* FileSystem.FileSystem
    const folder = yield* fs.makeTempDirectoryScoped()
    const port = yield* Daemon.freePort
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
      (name) => `${name}_temp_path ${folder}/${name};`
    )
    const config = `
daemon off;
# one process, which is who started it: nobody else may read the folder
master_process off;
pid ${folder}/pid;
error_log stderr error;
events {}
http {
  ${temporary.join("\n  ")}
  log_format short '$request_method $uri $status "$http_authorization"';
  access_log ${folder}/log short;
  client_max_body_size 0;
  ${http}
  server {
    listen 127.0.0.1:${port};
    ${server}
  }
}
`
    yield* fs.writeFileString(`${folder}/nginx.conf`, config)
    yield* Daemon.start(Command.make(program, "-e", "stderr", "-p", folder, "-c", `${folder}/nginx.conf`), port)
    const read = fs.readFileString(`${folder}/log`).pipe(Effect.map(lines), Effect.orDie)
    // a line is written after its answer was sent: the log is read when nothing more comes
    const settled = (before: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<string>> =>
      Effect.flatMap(Effect.delay(read, "200 millis"), (now) =>
        now.length === before.length ? Effect.succeed(now) : settled(now)
      )
    const log = Effect.withClock(Effect.flatMap(read, settled), Clock.make())
    return { host: `127.0.0.1:${port}`, log } satisfies Nginx
  })
