/** The text behind base64, where it is that: credentials are sent so. */
const decoded = (token: string): string => {
  try {
    return atob(token.replaceAll("-", "+").replaceAll("_", "/"))
  } catch {
    return ""
  }
}

/** Whether a text holds a secret: as it is, as in a URL or a form, or in base64. */
export const reveals = (text: string, secret: string): boolean =>
  text.includes(secret) ||
  text.includes(encodeURIComponent(secret)) ||
  text.includes(String(new URLSearchParams([["", secret]])).slice(1)) ||
  text.split(/[^\w+/=-]+/).some((word) => word.length >= secret.length && decoded(word).includes(secret))

/** How a secret is called in a message. */
export const disguised = (secret: string): string => `"${secret.slice(0, 2)}…"`
