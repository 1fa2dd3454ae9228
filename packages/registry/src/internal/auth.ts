import * as Effect from "effect/Effect"
import { constTrue } from "effect/Function"
import * as Basic from "./auth/basic.js"
import type { Gate } from "./auth/gate.js"
import * as Token from "./auth/token.js"

/** How a registry asks who it is, and whom it lets do what. */
export type Auth = Basic.BasicAuth | Token.TokenAuth

const open: Gate = {
  enter: () => Effect.succeed(constTrue),
  challenge: () => Basic.unauthorized("authentication required")
}

/** Without authentication everyone may do everything. */
export const make = (auth: Auth | undefined): Gate => {
  switch (auth?.type) {
    case undefined:
      return open
    case "basic":
      return Basic.make(auth)
    case "token":
      return Token.make(auth)
  }
}
