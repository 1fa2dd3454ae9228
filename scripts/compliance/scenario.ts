/**
 * A number, what it is about, and what is to be said beside its tests: `later: why`, `open: why`, `not the client's: why`,
 * or `as P2 S8` where the tests of other scenarios hold it.
 */
export type Scenario = readonly [id: string, summary: string, remark?: string]

export interface Section {
  readonly title: string
  readonly rows: ReadonlyArray<Scenario>
}
