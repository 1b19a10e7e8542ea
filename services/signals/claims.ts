import assert from 'node:assert/strict'
import type { Finding } from '../../schemas/finding.ts'

/** For tests: whether a finding's query gives the figures that the finding states. */

/** Rows of a query as objects of texts. */
type Ask = (sql: string) => Promise<Record<string, string | null>[]>

/** Half of the last digit that a figure states, and a little for rounding twice. */
const roundingOf = (stated: number): number =>
  0.6 * 10 ** -(String(stated).split('.')[1]?.length ?? 0)

/**
 * A finding's query must give what the finding states: one row a side (`after` says which), or one
 * row of what is now. Figures of the same name must be the same figures.
 * @returns how many figures were looked at.
 */
export const checkClaims = async (ask: Ask, finding: Finding): Promise<number> => {
  const rows = await ask(finding.query)
  assert.ok(rows.length > 0, `no rows: ${finding.query}`)
  const sides = rows.map(({ after }) => after)
  if (new Set(sides).size < sides.length) return 0
  let claims = 0
  for (const row of rows) {
    const side = row['after'] === 'false' ? finding.before : finding.after
    for (const [name, value] of Object.entries(row)) {
      const stated = side[name]
      if (typeof stated !== 'number' || value === null) continue
      const differs = Math.abs(stated - Number(value)) > roundingOf(stated)
      assert.equal(differs, false, `${name} is ${value}, stated ${stated}: ${finding.query}`)
      claims += 1
    }
  }
  return claims
}
