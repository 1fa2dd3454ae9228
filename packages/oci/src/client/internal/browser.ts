import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Context from "effect/Context"
import * as Option from "effect/Option"

type Fetch = typeof globalThis.fetch

/** Whether this is a web page or one of its workers, where `fetch` follows redirects unseen, hides headers and says little. */
export const inPage = (): boolean => "document" in globalThis || "importScripts" in globalThis

/** What to say beside a header that is missing: a page may just not be shown it. */
export const hidden = (header: string): string =>
  inPage() ? `, or hides it from pages: the registry must name ${header} in Access-Control-Expose-Headers` : ""

/** A failure that the transport's own would not explain. Not worth another attempt. */
const failure = (code: "ERR_BROWSER_REDIRECT" | "ERR_BROWSER_STREAM", message: string): TypeError =>
  Object.assign(new TypeError(message), { code })

/** Browsers that cannot stream send a stream as the text `[object ReadableStream]`, and say so by its type. */
const streams = (url: URL): boolean => {
  // over HTTP/1.1 none can, and browsers speak nothing else without TLS
  if (url.protocol === "http:") return false
  const init = { method: "POST", body: new ReadableStream(), duplex: "half" }
  return !new Request(url, init).headers.has("content-type")
}

/** `Failed to fetch` is all that a page is told, lest it finds out what is in a network. */
const unexplained = (cause: unknown, streamed: boolean): TypeError => {
  const said = cause instanceof Error ? cause.message : String(cause)
  const often = `often the registry lets no pages of ${globalThis.location?.origin} in (CORS)`
  const stream = streamed ? ", or speaks no HTTP/2, which a stream needs" : ""
  return new TypeError(`${said}: browsers do not tell pages why; ${often}${stream}`)
}

/**
 * A page's `fetch`, which tells by `landed` where a redirect has led. Only what changes nothing is redirected: where a
 * redirect leads is not to be seen before it is followed, nor whether a `PUT` has become a `GET` on the way.
 */
const pageFetch =
  (fetch: Fetch, landed: (response: Response) => void): Fetch =>
  async (input, init = {}) => {
    const streamed = init.body instanceof ReadableStream
    if (streamed && !streams(new URL(String(input)))) {
      throw failure("ERR_BROWSER_STREAM", "a browser cannot stream to this registry: give the content as a Uint8Array")
    }
    const headers = new Headers(init.headers)
    // browsers either send their own, or ask the registry first whether this one may be sent
    headers.delete("user-agent")
    const redirect = init.method === "GET" || init.method === "HEAD" ? "follow" : "manual"
    const response = await fetch(input, { ...init, headers, redirect }).catch((cause) => {
      throw unexplained(cause, streamed)
    })
    if (response.type === "opaqueredirect") {
      throw failure("ERR_BROWSER_REDIRECT", `a ${init.method} was redirected, and a browser does not show where to`)
    }
    if (response.redirected) landed(response)
    return response
  }

const governed = { redirect: "manual", credentials: "omit" } as const

/**
 * The context of a request: there `fetch` neither follows redirects by itself nor keeps cookies; in a page it follows those
 * of a `GET` and tells where the answer came from. Other transports do not look at this.
 */
export const withFetch = <R>(context: Context.Context<R>, landed: (response: Response) => void): Context.Context<R> => {
  const given = Option.getOrUndefined(Context.getOption(context, FetchHttpClient.RequestInit))
  const init = given === undefined ? governed : { ...given, ...governed }
  const without = Context.add(context, FetchHttpClient.RequestInit, init)
  if (!inPage()) return without
  const fetch = Option.getOrElse(Context.getOption(context, FetchHttpClient.Fetch), () => globalThis.fetch)
  return Context.add(without, FetchHttpClient.Fetch, pageFetch(fetch, landed))
}
