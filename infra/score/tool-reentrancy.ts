import type { Draft } from '../../services/signals/define.ts'
import signal from '../../services/signals/tool-reentrancy/signal.ts'
import { createColumns, type GrainRow } from '../worlds/grain-rows.ts'
import { createRandom } from '../worlds/random.ts'
import { LOOPS, playTrace, type LoopShape, type ToolTrace } from '../worlds/tool-calls.ts'
import type { ScoreSize } from './cache-thrash.ts'
import { falseText, ruleText, type FalseFindings } from './false-findings.ts'
import type { ScoreRow } from './page.ts'

/** Loops found, how late, and healthy traces told of, beside rules that agents' guards use. */

const START_MS = Date.parse('2026-03-02T00:00:00Z')
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const DAYS_PER_MONTH = 30
/** Healthy traces of a tenant in a day. */
const TRACES_PER_DAY = 20
const FIRST_SEED = 50_000

/** Rounds or calls seen when a rule fires on a trace; null when it does not. */
type Rule = { name: string; firesAt: (trace: ToolTrace) => number | null }

const calls = ({ rows }: ToolTrace): GrainRow[] => rows.filter(({ kind }) => kind === 'tool')

const onCount = (name: string, key: (row: GrainRow) => string, count: number): Rule => ({
  name,
  firesAt: (trace) => {
    const seen = new Map<string, number>()
    for (const row of calls(trace)) {
      const times = (seen.get(key(row)) ?? 0) + 1
      seen.set(key(row), times)
      if (times >= count) return Number(row['time_ms'])
    }
    return null
  }
})

const RULES: Rule[] = [
  onCount('same tool and arguments twice', ({ name, args }) => `${name} ${args}`, 2),
  onCount('same tool and arguments three times', ({ name, args }) => `${name} ${args}`, 3),
  onCount('same tool ten times', ({ name }) => String(name), 10),
  onCount('25 tool calls', () => '', 25)
]

/** Folds traces through the signal, minute by minute; a draft's trace is in its scope. */
export const foldTraces = (traces: readonly ToolTrace[]): Draft[] => {
  const columns = createColumns(signal.inputs.traces!)
  const rows = traces
    .flatMap((trace) => trace.rows)
    .sort(
      (a, b) =>
        Number(a['time_ms']) - Number(b['time_ms']) || (String(a['id']) < String(b['id']) ? -1 : 1)
    )
  const fold = signal.open()
  const drafts: Draft[] = []
  for (let next = 0; next < rows.length;) {
    const minute = Math.floor(Number(rows[next]!['time_ms']) / MINUTE_MS) * MINUTE_MS
    const own: GrainRow[] = []
    for (; next < rows.length && Number(rows[next]!['time_ms']) < minute + MINUTE_MS; next++) {
      own.push({ ...rows[next]!, at_ms: Number(rows[next]!['time_ms']) - minute })
    }
    drafts.push(...fold.fold({ startMs: minute, grains: { traces: columns(own) } }))
  }
  return drafts.filter(({ status }) => status === 'firing')
}

const HEALTHY = 'healthy'

const healthyMonth = (seed: number, days: number): ToolTrace[] => {
  const random = createRandom(seed)
  return Array.from({ length: days * TRACES_PER_DAY }, (_, i) => {
    const startMs = START_MS + Math.floor(random.uniform() * days * DAY_MS)
    return playTrace(`${HEALTHY}${i}`, { seed: seed + i, startMs, shape: null })
  })
}

/** False findings: ours, then each rule's. */
const falseFindings = (tenants: number, days: number): FalseFindings[] => {
  const sums = [0, ...RULES.map(() => 0)]
  for (let tenant = 0; tenant < tenants; tenant++) {
    const traces = healthyMonth(FIRST_SEED + tenant * 10_000, days)
    sums[0]! += new Set(foldTraces(traces).map(({ fingerprint }) => fingerprint)).size
    for (const [i, { firesAt }] of RULES.entries()) {
      sums[i + 1]! += traces.filter((trace) => firesAt(trace) !== null).length
    }
  }
  return sums.map((found) => ({ found, months: (tenants * days) / DAYS_PER_MONTH }))
}

type Delays = (number | null)[]

/** Seconds from the loop's second round to the finding; null where a rule fired before or never. */
const delays = (shape: LoopShape, count: number): Delays[] => {
  const byRule: Delays[] = [[], ...RULES.map((): Delays => [])]
  for (let i = 0; i < count; i++) {
    const seed = FIRST_SEED + 500_000 + 1000 * LOOPS.indexOf(shape) + i
    const trace = playTrace('loop', { seed, startMs: START_MS, shape })
    const since = (ms: number | null | undefined): number | null =>
      ms == null || ms < trace.loopMs! ? null : (ms - trace.loopMs!) / 1000
    const [first] = foldTraces([trace])
    byRule[0]!.push(since(first === undefined ? null : Date.parse(first.detected_at)))
    for (const [rule, { firesAt }] of RULES.entries()) byRule[rule + 1]!.push(since(firesAt(trace)))
  }
  return byRule
}

const summary = (found: Delays): { share: number; median: number | null } => {
  const sorted = found.filter((delay) => delay !== null).sort((a, b) => a - b)
  return {
    share: sorted.length / found.length,
    median: sorted[Math.floor(sorted.length / 2)] ?? null
  }
}

const cell = (found: Delays): string => {
  const { share, median } = summary(found)
  return `${median === null ? '—' : `${Math.round(median)} s`} (${Math.round(100 * share)} %)`
}

export function* scoreToolReentrancy(size: ScoreSize): Generator<string, ScoreRow> {
  const tenants = size.months
  const alarms = falseFindings(tenants, size.days)
  const found = LOOPS.map((shape) => delays(shape, size.incidents))
  const names = ['tool-reentrancy (end of the minute)', ...RULES.map(({ name }) => name)]
  yield `## Loops of agents: ${tenants} tenants × ${size.days} days of ${TRACES_PER_DAY} healthy traces, ${size.incidents} loops of each shape`
  yield [
    `| rule | false per tenant-month | ${LOOPS.join(' | ')} |`,
    `|---|---|${LOOPS.map(() => '---|').join('')}`,
    ...names.map(
      (name, rule) =>
        `| ${name} | ${rule === 0 ? falseText(alarms[0]!) : ruleText(alarms[rule]!)} | ${found.map((byRule) => cell(byRule[rule]!)).join(' | ')} |`
    )
  ].join('\n')
  yield 'Seconds from the beginning of the second round; a rule that fired before it did not find the loop.'
  const ours = found.map((byRule) => summary(byRule[0]!))
  return {
    detection: `${Math.round((100 * ours.reduce((sum, { share }) => sum + share, 0)) / ours.length)} % of loops of four shapes`,
    delay: `${ours.map(({ median }) => Math.round(median ?? Infinity)).join(' / ')} s`,
    falseFindings: falseText(alarms[0]!),
    attribution: 'trace, call and cycle named'
  }
}
