/**
 * Whether a status may be another when the same is asked again: throttling, outages, and what stands between us and the
 * registry. 501 and 505 say what a server is not able to do, and that does not pass.
 */
export const isPassing = (status: number): boolean =>
  status === 429 ||
  status === 408 ||
  status === 499 ||
  (status >= 500 && status < 600 && status !== 501 && status !== 505)
