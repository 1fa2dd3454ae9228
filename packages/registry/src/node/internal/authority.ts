import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto"
import { isIPv4 } from "node:net"

/** A certificate and its key, in PEM. */
export interface Pair {
  readonly cert: string
  readonly key: string
}

/** Signs certificates, and is trusted by those who are given its own. */
export interface Authority {
  /** In PEM. */
  readonly certificate: string
  /** For a host, which is found at `localhost` and 127.0.0.1 too. */
  readonly issue: (host: string) => Pair
}

/** A value in DER, the binary form of ASN.1. None here has 64 KiB. */
const der = (tag: number, ...parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const content = Buffer.concat(parts)
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Uint8Array.of(tag, ...size), content])
}

const sequence = (...parts: ReadonlyArray<Uint8Array>) => der(0x30, ...parts)
const text = (tag: number, value: string) => der(tag, Buffer.from(value))

/** Object identifiers, as DER has them. */
const ids = {
  ecdsaWithSha256: "2a8648ce3d040302",
  commonName: "550403",
  subjectKeyIdentifier: "551d0e",
  keyUsage: "551d0f",
  subjectAltName: "551d11",
  basicConstraints: "551d13",
  authorityKeyIdentifier: "551d23"
} as const

const oid = (name: keyof typeof ids) => der(0x06, Buffer.from(ids[name], "hex"))

const algorithm = sequence(oid("ecdsaWithSha256"))

const nameOf = (commonName: string) => sequence(der(0x31, sequence(oid("commonName"), text(0x0c, commonName))))

const yes = der(0x01, Uint8Array.of(0xff))
const extension = (name: keyof typeof ids, value: Uint8Array) => sequence(oid(name), der(0x04, value))
const critical = (name: keyof typeof ids, value: Uint8Array) => sequence(oid(name), yes, der(0x04, value))

/** It may sign certificates, and nothing else. */
const authority = [
  critical("basicConstraints", sequence(yes)),
  critical("keyUsage", der(0x03, Uint8Array.of(2, 0b100)))
]
const subjectKey = (id: Uint8Array) => extension("subjectKeyIdentifier", der(0x04, id))
const authorityKey = (id: Uint8Array) => extension("authorityKeyIdentifier", sequence(der(0x80, id)))

const altNames = (...hosts: ReadonlyArray<string>) =>
  extension(
    "subjectAltName",
    sequence(
      ...hosts.map((host) => (isIPv4(host) ? der(0x87, Uint8Array.from(host.split("."), Number)) : text(0x82, host)))
    )
  )

/** From the year 2000 on, without end (RFC 5280 section 4.1.2.5): a test has a clock of its own. */
const always = sequence(text(0x17, "000101000000Z"), text(0x18, "99991231235959Z"))

interface Certified {
  readonly subject: string
  readonly publicKey: KeyObject
  readonly extensions: ReadonlyArray<Uint8Array>
}

/** A certificate of X.509 version 3, which `node:crypto` reads but does not write (RFC 5280 section 4.1). */
const certify = ({ extensions, publicKey, subject }: Certified, issuer: string, issuersKey: KeyObject): string => {
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Uint8Array.of(2))),
    der(0x02, Uint8Array.of(1), randomBytes(8)),
    algorithm,
    nameOf(issuer),
    always,
    nameOf(subject),
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(...extensions))
  )
  const signature = der(0x03, Uint8Array.of(0), sign("sha256", toBeSigned, issuersKey))
  const base64 = Buffer.from(sequence(toBeSigned, algorithm, signature)).toString("base64")
  return ["-----BEGIN CERTIFICATE-----", ...(base64.match(/.{1,64}/g) ?? []), "-----END CERTIFICATE-----", ""].join(
    "\n"
  )
}

const newKey = () => generateKeyPairSync("ec", { namedCurve: "P-256" })

/** A new one. Its key never leaves it. */
export const make = (): Authority => {
  const id = randomBytes(20)
  const name = `a script's authority ${id.toString("hex", 0, 4)}`
  const own = newKey()
  const signed = (certified: Certified) => certify(certified, name, own.privateKey)
  return {
    certificate: signed({ subject: name, publicKey: own.publicKey, extensions: [...authority, subjectKey(id)] }),
    issue: (host) => {
      const { privateKey, publicKey } = newKey()
      const extensions = [altNames(host, "localhost", "127.0.0.1"), authorityKey(id)]
      return {
        cert: signed({ subject: "an origin of a script", publicKey, extensions }),
        key: privateKey.export({ type: "pkcs8", format: "pem" }).toString()
      }
    }
  }
}
