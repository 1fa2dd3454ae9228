/** Answers of a registry, from right to absurd. */
import * as FastCheck from "effect/FastCheck"
import * as MediaType from "effect-oci/MediaType"
import { blob, encode, manifestDigest, sha512 } from "../endpoints/given.js"
import { nearBytes, nearHeader, nearJson } from "./arbitraries.js"
import * as Samples from "./samples.js"
import type * as Wire from "./wire.js"

/** Stands in the queries of URLs, which are nobody's business. */
export const secret = "SECRET"

/** A URL whose query, if it still has it after all edits, holds the secret. */
const nearUrl = (...samples: ReadonlyArray<string>) =>
  nearHeader(...samples).map((text) => (text.includes(`?sig=${secret}`) ? text : text.replaceAll(secret, "x")))

const here = "https://registry.test/v2/org/app"

/** Each header with what may stand in it, the first as it mostly does. */
const known: { readonly [name: string]: FastCheck.Arbitrary<string> } = {
  "content-type": nearHeader(
    MediaType.ociManifest,
    MediaType.ociIndex,
    MediaType.dockerManifestV1,
    "application/json",
    "application/octet-stream",
    "text/html; charset=iso-8859-1"
  ),
  "docker-content-digest": nearHeader(manifestDigest, blob.digest, sha512(Samples.imageBytes)),
  location: nearUrl(
    `/v2/org/app/blobs/uploads/2?sig=${secret}`,
    `${here}/blobs/uploads/2`,
    `https://elsewhere.test/blob?sig=${secret}`,
    "http://registry.test/v2/",
    "https://127.0.0.1/x",
    "https://[::ffff:10.0.0.1]/",
    "https://user:password@registry.test/x",
    "uploads/2",
    "data:text/plain,x"
  ),
  link: nearUrl(
    `</v2/org/app/tags/list?n=1&last=a>; rel="next"`,
    `<?sig=${secret}>; rel="prev next", </v2/>; rel=first`,
    `<https://elsewhere.test/v2/?sig=${secret}>; rel=next`
  ),
  "content-range": nearHeader("bytes 2-4/10", "bytes 7-9/10", "bytes 2-9/10", "bytes 2-4/*", "bytes */10"),
  range: nearHeader("0-9", "bytes=0-4", "0-0"),
  "oci-chunk-min-length": nearHeader("1024"),
  "oci-subject": nearHeader(manifestDigest),
  "oci-tag": nearHeader("1.2, 1.3", "1.2"),
  warning: nearHeader('299 - "deprecated"', '299 - "a \\"b\\"", 299 - "c"', '199 - "x"'),
  "www-authenticate": nearHeader(
    'Bearer realm="https://auth.test/token",service="registry.test",scope="repository:org/app:pull"',
    'Basic realm="x", Negotiate'
  ),
  "retry-after": nearHeader("5", "Wed, 21 Oct 2026 07:28:00 GMT", "1786579200", "-1"),
  "x-request-id": nearHeader("3c0f"),
  server: nearHeader("nginx"),
  "content-encoding": nearHeader("identity", "gzip"),
  "transfer-encoding": FastCheck.constant("chunked")
}

/** Seldom, since a length says nothing beside them. */
const rare = new Set(["content-encoding", "transfer-encoding"])

type Header = readonly [name: string, value: string]

const headers: FastCheck.Arbitrary<ReadonlyArray<Header>> = FastCheck.tuple(
  ...Object.entries(known).map(([name, value]) =>
    FastCheck.oneof(
      { weight: rare.has(name) ? 12 : 2, arbitrary: FastCheck.constant<ReadonlyArray<Header>>([]) },
      {
        weight: 1,
        arbitrary: FastCheck.array(value, { minLength: 1, maxLength: 2 }).map((all) =>
          all.map((one): Header => [name, one])
        )
      }
    )
  )
).map((all) => all.flat())

const bodyOf = (content: FastCheck.Arbitrary<Uint8Array>): FastCheck.Arbitrary<Wire.Body> =>
  FastCheck.record({
    content,
    cut: FastCheck.nat(),
    end: FastCheck.oneof(
      { weight: 10, arbitrary: FastCheck.constant("closes" as const) },
      { weight: 1, arbitrary: FastCheck.constantFrom("breaks" as const, "stalls" as const) }
    )
  }).map(({ content, cut, end }) => {
    const at = cut % (content.length + 1)
    return { pieces: [content.slice(0, at), content.slice(at)], end }
  })

const much = Array.from({ length: 20 }, () => new Uint8Array(16 * 1024).fill(32))

const oversized: FastCheck.Arbitrary<Wire.Body> = FastCheck.constantFrom<ReadonlyArray<Wire.Body>[number]>(
  { pieces: much, end: "closes" },
  { pieces: much, end: "stalls" }
)

const cyclic = () => {
  const error: Error & { cause?: unknown } = new Error("around")
  error.cause = error
  return error
}

const failure: FastCheck.Arbitrary<Wire.Answer> = FastCheck.oneof(
  FastCheck.constant<Wire.Answer>({ _tag: "Silent" }),
  FastCheck.constantFrom<ReadonlyArray<unknown>[number]>(
    undefined,
    null,
    "refused",
    new Error(`\u001b[2J no https://registry.test/x?sig=${secret} \n`),
    new TypeError("fetch failed", { cause: Object.assign(new Error(""), { code: "ECONNRESET" }) }),
    { code: 7, message: {}, cause: 1 },
    cyclic()
  ).map((cause) => ({ _tag: "Broken", cause }) as const)
)

const refusals = [400, 401, 403, 404, 405, 409, 413, 415, 416, 422, 429, 500, 501, 503, 599]

const oddities = [204, 205, 206, 226, 300, 304, 305, 418, 451, 999]

const statusOf = (yes: ReadonlyArray<number>) =>
  FastCheck.oneof(
    { weight: 8, arbitrary: FastCheck.constantFrom(...yes) },
    { weight: 2, arbitrary: FastCheck.constantFrom(301, 302, 303, 307, 308) },
    { weight: 2, arbitrary: FastCheck.constantFrom(...refusals) },
    { weight: 1, arbitrary: FastCheck.constantFrom(...oddities) }
  )

const length = FastCheck.oneof(
  { weight: 4, arbitrary: FastCheck.constant("right" as const) },
  { weight: 3, arbitrary: FastCheck.constant("none" as const) },
  { weight: 1, arbitrary: nearHeader("10", "0", "19999", "9007199254740993") }
)

/** What an endpoint expects: its statuses for yes, and what their bodies hold. */
export interface Expected {
  readonly yes: ReadonlyArray<number>
  readonly content: FastCheck.Arbitrary<Uint8Array>
  /** Headers without which a yes is none. */
  readonly headers?: { readonly [name: string]: string } | undefined
}

const answerOf = ({ content, headers: needed = {}, yes }: Expected): FastCheck.Arbitrary<Wire.Answer> =>
  FastCheck.record({
    status: statusOf(yes),
    others: headers,
    needed: FastCheck.boolean().map((given) => (given ? needed : {})),
    length,
    body: FastCheck.oneof(
      { weight: 8, arbitrary: bodyOf(content) },
      { weight: 3, arbitrary: bodyOf(nearJson(Samples.errors, { message: "no" }, [])) },
      { weight: 1, arbitrary: bodyOf(nearBytes(encode("<html>\u001b[31mNot Found</html>"), new Uint8Array())) },
      { weight: 1, arbitrary: oversized },
      { weight: 1, arbitrary: FastCheck.constant(undefined) }
    )
  }).map(({ body, length, needed, others, status }) => {
    const size = body?.pieces.reduce((sum, piece) => sum + piece.length, 0) ?? 0
    const given = [...others.filter(([name]) => !Object.hasOwn(needed, name)), ...Object.entries(needed)]
    const declared = length === "none" ? [] : [["content-length", length === "right" ? String(size) : length] as const]
    return { _tag: "Answer", status, headers: [...given, ...declared], body } as const
  })

/** What a registry answers to the requests of one call, in their order and then from the first again. */
export const script = (
  expected: Expected
): FastCheck.Arbitrary<readonly [Wire.Answer, ...ReadonlyArray<Wire.Answer>]> => {
  const answer = FastCheck.oneof({ weight: 10, arbitrary: answerOf(expected) }, { weight: 1, arbitrary: failure })
  return FastCheck.tuple(answer, FastCheck.array(answer, { maxLength: 4 })).map(
    ([first, more]) => [first, ...more] as const
  )
}
