/**
 * Who may sign in to the registries of these tests, and how they are told.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"

export interface Account {
  readonly username: string
  readonly password: string
  /** The password as `htpasswd -B` writes it, which nginx understands as well as registries do. */
  readonly bcrypt: string
  /** What a token for any repository may allow. */
  readonly actions: ReadonlyArray<string>
}

export const me: Account = {
  username: "me",
  password: "correct horse",
  bcrypt: "$2b$05$fAEvvc/lnACchy7jp8q9SOv1JQp/P6/GuwT2oKoC9cbscYW9JoOLO",
  actions: ["*", "pull", "push", "delete"]
}

export const reader: Account = {
  username: "reader",
  password: "battery staple",
  bcrypt: "$2b$05$xHI5mxdpS6msBaucCDJFU.qHzC1/K/HwAox7flVWkwh4Q7KHoDAee",
  actions: ["pull"]
}

export const all: ReadonlyArray<Account> = [me, reader]

/** The path of a file of user names and passwords. */
export const htpasswd = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const path = `${yield* fs.makeTempDirectoryScoped()}/htpasswd`
  yield* fs.writeFileString(path, all.map(({ bcrypt, username }) => `${username}:${bcrypt}\n`).join(""))
  return path
})
