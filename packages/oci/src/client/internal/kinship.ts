import * as Addresses from "./addresses.js"

/** What stands before a country's two letters where anybody may register. */
const generic =
  /^(?:ac|biz|co|com|ed|edu|firm|gen|go|gob|gouv|gov|gr|id|ind|info|lg|ltd|me|mil|ne|net|nhs|nom|or|org|plc|sch|web|[a-z]{2})\.[a-z]{2}$/

/** Where strangers are neighbours: each name under one of these is somebody else's. */
const shared = new Set(
  (
    "azurecr.io azureedge.net azurefd.net azurestaticapps.net azurewebsites.net blogspot.com br.com cloudfront.net " +
    "cn.com co.com codeberg.page ddns.net de.com deno.dev digitaloceanspaces.com duckdns.org eu.com firebaseapp.com " +
    "fly.dev github.io gitlab.io glitch.me gitbook.io herokuapp.com in.net jfrog.io jp.net jpn.com linodeobjects.com " +
    "loca.lt netlify.app no-ip.org now.sh ondigitalocean.app onrender.com pages.dev r2.dev readthedocs.io repl.co " +
    "replit.app ru.com sa.com se.net surge.sh trycloudflare.com uk.com uk.net us.com vercel.app vultrcr.com web.app " +
    "wordpress.com workers.dev za.com"
  ).split(" ")
)

/** The same, with regions and services between the stranger's name and this: no two names are taken for one's. */
const deep =
  /(?:^|\.)(?:amazonaws\.com(?:\.cn)?|appspot\.com|azure\.com|azurecontainerapps\.io|cloudapp\.net|googleusercontent\.com|ngrok(?:-free)?\.(?:app|dev|io)|nip\.io|on\.aws|oraclecloud\.com|railway\.app|run\.app|scw\.cloud|sslip\.io|trafficmanager\.net|windows\.net)$/

/** Registries whose token services go by another name. */
const pairs: ReadonlyMap<string, string> = new Map([["nvcr.io", "authn.nvidia.com"]])

const plain = (hostname: string): string => hostname.replace(/\.$/, "")

/** A name that has neighbours: no address, and more than one label. */
const isName = (host: string): boolean => !host.startsWith("[") && !/^[\d.]+$/.test(host) && host.includes(".")

/** The end that two names have in common, in whole labels. */
const common = (one: string, other: string): ReadonlyArray<string> => {
  const [left, right] = [one.split(".").reverse(), other.split(".").reverse()]
  const differs = left.findIndex((label, at) => label !== right[at])
  return left.slice(0, differs === -1 ? left.length : differs).reverse()
}

/**
 * Whether a token service belongs to a registry as far as names tell: the same name on another port, one under the other,
 * or both under one name that a single owner has; never by addresses, and only over https. Without the public suffix list
 * this is a guess that errs on the side of strangers.
 */
export const belongs = (registry: URL, service: URL): boolean => {
  if (Addresses.reach(registry.hostname) === "loopback" && Addresses.reach(service.hostname) === "loopback") return true
  if (service.protocol !== "https:") return false
  const [one, other] = [plain(registry.hostname), plain(service.hostname)]
  if (one === other || pairs.get(one) === other) return true
  if (!isName(one) || !isName(other)) return false
  const labels = common(one, other)
  const parent = labels.join(".")
  return labels.length >= 2 && !generic.test(parent) && !shared.has(parent) && !deep.test(parent)
}
