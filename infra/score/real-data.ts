import { existsSync } from 'node:fs'
import type { ScoreRow } from './page.ts'
import { scoreAgents } from './real-agents.ts'
import { DATA, type RealRow } from './real-rows.ts'
import { scoreClients, scoreRerankers } from './real-series.ts'
import { scoreStructured } from './real-structured.ts'
import { scoreBilledCounts, scoreLanguages } from './real-tokens.ts'

/** What the signals say of recorded data whose truth is known: who must be told, and who must not. */

const PARTS: readonly (() => RealRow[])[] = [
  scoreStructured,
  scoreBilledCounts,
  scoreLanguages,
  scoreAgents,
  scoreRerankers,
  scoreClients
]

export function* scoreRealData(): Generator<string, ScoreRow | void> {
  if (!existsSync(DATA)) {
    yield 'The data is not beside the checkout.'
    return
  }
  const rows = PARTS.flatMap((part) => part())
  yield [
    '| data | signal | told, of what is wrong | silent, of what is not |',
    '|---|---|---|---|',
    ...rows.map(
      ({ data, signal, told, silent }) => `| ${data} | \`${signal}\` | ${told} | ${silent} |`
    )
  ].join('\n')
  return {
    detection: 'below, by data set',
    delay: '',
    falseFindings: 'below',
    attribution: 'below'
  }
}
