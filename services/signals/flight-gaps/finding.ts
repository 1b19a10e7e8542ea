import type { Draft } from '../define.ts'
import { fingerprint } from '../fingerprint.ts'
import { sqlEquals, sqlTime } from '../sql.ts'
import { shareOf, type RiseStretch } from '../statistics/rise-change.ts'
import { pct, type ShareEvent } from '../statistics/share-incidents.ts'
import { FACT_SQL, FACT_WORDS, FACTS, type Fact } from './facts.ts'
import { completeness, gapsOf, type Score } from './scores.ts'

/** Turns what was decided into the findings that people read. */

const MINUTE_MS = 60_000
const iso = (ms: number): string => new Date(ms).toISOString()

const factOf = (word: string | null | undefined): Fact =>
  FACTS.find((fact) => fact === word) ?? 'usage'

const AXIS_OF: Readonly<Record<Fact, Draft['axis']>> = {
  version: 'model',
  prompt: 'prompt',
  temperature: 'client',
  usage: 'client',
  result: 'tool',
  parent: 'client'
}

const scopeOf = (words: Record<string, string | null>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(words).filter((entry): entry is [string, string] => entry[1] !== null)
  )

/** A fact that used to be recorded is missing more often. */
export const gapFinding = ({ name, change, ...event }: ShareEvent, ms: number): Draft => {
  const [tenant = null, emitter = null, agent = null, word] = name
  const fact = factOf(word)
  const { before, after } = change
  const share = (stretch: RiseStretch): number => pct(shareOf(stretch))
  return {
    fingerprint: fingerprint('flight-gaps', tenant, emitter, agent, fact, event.incidentDay),
    status: 'firing',
    severity: 'warning',
    tenant,
    scope: scopeOf({ level: 'fact', fact, emitter, agent }),
    axis: AXIS_OF[fact],
    started_at: iso(after.fromMs),
    detected_at: iso(ms + MINUTE_MS),
    summary: `${who(agent)}${by(emitter)} of ${tenant ?? 'nobody'} leaves out ${FACT_WORDS[fact]} in ${share(after)} % of ${after.n} steps, after ${share(before)} %: these flights can't be replayed.`,
    before: figures(before),
    after: { ...figures(after), fact, evidence_nats: Math.round(event.evidenceNats * 10) / 10 },
    cost_usd_per_hour: null,
    culprit: null,
    victims: [],
    contributors: [{ fact, missing_pct: share(after), steps: after.n }],
    query: reproduce({ tenant, emitter, agent }, fact, change)
  }
}

const figures = (stretch: RiseStretch) => ({
  missing_pct: pct(shareOf(stretch)),
  missing_steps: stretch.k,
  steps: stretch.n,
  from: iso(stretch.fromMs),
  to: iso(stretch.toMs)
})

const who = (agent: string | null): string => (agent === null ? 'A flight' : `Agent ${agent}`)
const by = (emitter: string | null): string => (emitter === null ? '' : ` by ${emitter}`)

/** Flights of an emitter and agent that were never complete enough. */
export const scoreFinding = (score: Score, ms: number): Draft => {
  const { emitter, agent, steps } = score
  const complete = completeness(score)
  const gaps = gapsOf(score)
  const worst = gaps
    .slice(0, 3)
    .map(({ fact, missing_pct: missing }) => `${FACT_WORDS[fact]} (${missing} %)`)
  const until = ms + MINUTE_MS
  return {
    fingerprint: fingerprint('flight-gaps', 'score', emitter, agent),
    status: 'firing',
    severity: 'info',
    tenant: null,
    scope: scopeOf({ level: 'score', emitter, agent }),
    axis: gaps[0] === undefined ? null : AXIS_OF[gaps[0].fact],
    started_at: iso(score.firstMs),
    detected_at: iso(until),
    summary: `${who(agent)}${by(emitter)} records ${pct(complete)} % of what a replay needs, over ${Math.round(steps)} steps. Missing: ${worst.join(', ')}.`,
    before: { completeness_pct: 100 },
    after: {
      completeness_pct: pct(complete),
      steps: Math.round(steps),
      ...Object.fromEntries(
        gaps.map(({ fact, missing_pct }) => [`missing_${fact}_pct`, missing_pct])
      )
    },
    cost_usd_per_hour: null,
    culprit: null,
    victims: [],
    contributors: gaps,
    query: scoreQuery(score, until)
  }
}

type Whose = { tenant: string | null; emitter: string | null; agent: string | null }

/** Steps of a flight carry its agent: the first agent step of their trace. */
const stepsOf = (whose: Partial<Whose>, fromMs: number, toMs: number): string => {
  const filters = [
    ...(whose.tenant === undefined ? [] : [sqlEquals('tenant', whose.tenant)]),
    sqlEquals('emitter', whose.emitter ?? null),
    sqlEquals('agent', whose.agent ?? null),
    `time >= ${sqlTime(fromMs)}`,
    `time < ${sqlTime(toMs)}`
  ]
  return `SELECT * FROM events LEFT JOIN (
  SELECT trace_id, arg_min(name, time) AS agent FROM events
  WHERE kind = 'agent' AND name IS NOT NULL AND trace_id IS NOT NULL GROUP BY trace_id
) USING (trace_id) WHERE trace_id IS NOT NULL AND ${filters.join(' AND ')}`
}

/** Two rows, before and after: as many steps, and as many without the fact. */
const reproduce = (
  whose: Whose,
  fact: Fact,
  { before, after }: { before: RiseStretch; after: RiseStretch }
): string => {
  const { applies, missing } = FACT_SQL[fact]
  return `SELECT time >= ${sqlTime(after.fromMs)} AS after, count(*) AS steps,
  count_if(${missing}) AS missing_steps, 100 * avg((${missing})::INT) AS missing_pct
FROM (${stepsOf(whose, before.fromMs, after.toMs)})
WHERE ${applies} GROUP BY 1 ORDER BY 1`
}

/** A row per fact: where it applies and where it is missing. */
const scoreQuery = ({ emitter, agent, firstMs }: Score, toMs: number): string => {
  const rows = FACTS.map((fact) => {
    const { applies, missing } = FACT_SQL[fact]
    return `SELECT '${fact}' AS fact, count(*) AS steps, count_if(${missing}) AS missing_steps
FROM steps WHERE ${applies}`
  })
  return `WITH steps AS (${stepsOf({ emitter, agent }, firstMs, toMs)})
${rows.join('\nUNION ALL\n')}
ORDER BY fact`
}
