import type * as RegistryServer from "../../RegistryServer.js"

export const usage = `An OCI registry, for tests, demos and work offline. What it has in memory is gone when it stops.

  pnpm registry [options]

  --port <number>         where to listen (default 5000, 0 for any free port)
  --host <address>        default 127.0.0.1: this machine only
  --dir <folder>          keep everything there, and find it again next time (default: in memory)
  --auth <basic|token>    ask who it is: each time, or for a token
  --user <name:password>  who may do everything, as often as there are users (default me, with a new password)
  --faults <seed>         break every tenth request, the same ones with the same seed: refusals, resets, stalls …
  --strict                refuse manifests that name blobs which were not pushed
  --cors                  let web pages of any origin use it
  --help`

const quoted = (word: string): string =>
  /^[\w.@%+:][\w.@%+:-]*$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`

const signingIn = (host: string, { type, users }: RegistryServer.Auth): ReadonlyArray<string> =>
  Object.entries(users)
    .slice(0, 1)
    .flatMap(([user, password]) => {
      const as = `-u ${quoted(user)} -p ${quoted(password)}`
      return [
        type === "basic"
          ? "It asks for a user and a password:"
          : `It asks for tokens, which http://${host}/token gives for a user and a password:`,
        "",
        `  skopeo login --tls-verify=false ${as} ${host}`,
        `  crane auth login ${as} ${host}`,
        `  oras login --plain-http ${as} ${host}`,
        ...(type === "basic" ? [`  curl -u ${quoted(`${user}:${password}`)} http://${host}/v2/_catalog`] : []),
        ""
      ]
    })

/** What is said when it listens. */
export const howTo = (
  host: string,
  { auth, dir, faults }: Pick<RegistryServer.Options, "auth" | "faults"> & { readonly dir?: string | undefined }
): string =>
  [
    `An OCI registry listens on http://${host}, with ${dir === undefined ? "nothing in it" : `what is in ${dir}`}. Ctrl-C stops it.`,
    ...(faults === undefined ? [] : [`Every tenth request goes wrong on purpose, by the seed ${faults.seed}.`]),
    "",
    ...(auth === undefined ? [] : signingIn(host, auth)),
    `  skopeo copy --dest-tls-verify=false docker://alpine:3 docker://${host}/library/alpine:3`,
    `  crane copy alpine:3 ${host}/library/alpine:3`,
    `  oras push --plain-http ${host}/notes:1 README.md`,
    ...(auth === undefined ? [`  curl http://${host}/v2/_catalog`] : []),
    ""
  ].join("\n")
