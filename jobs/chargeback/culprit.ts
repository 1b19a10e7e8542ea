import { z } from 'zod'
import { Finding } from '../../schemas/finding.ts'
import { divideNearest } from '../../schemas/money.ts'
import type { Head } from '../../services/lake/commit.ts'
import type { Engine } from '../../services/lake/engine.ts'
import { quoted } from '../../services/lake/parquet-writer.ts'
import { addRows, LEDGER, type LedgerRow } from './ledger-rows.ts'
import { timestampSql, type Month } from './month.ts'

/**
 * Moves what victims of a cache collapse paid more to the tenant that caused it. Only findings that
 * name a culprit with high confidence count, and only for the time that they give evidence of:
 * from the change to the resolution, or to the detection where nothing was resolved.
 */
export const addCulpritCharges = async (
  engine: Engine,
  head: Head,
  month: Month
): Promise<void> => {
  const rows: LedgerRow[] = []
  for (const harm of harms(await findingsOf(engine, month))) {
    const pico = await extraCost(engine, month, harm)
    if (pico <= 0n) continue
    const { victim, culprit, ...evidence } = harm
    const line = {
      category: 'allocation' as const,
      month: month.name,
      charge_start: month.fromMs,
      charge_end: month.toMs,
      meter: 'cache-collapse',
      rule: 'cache-collapse',
      origin_tenant: victim,
      details: JSON.stringify({
        ...evidence,
        from: new Date(harm.fromMs).toISOString(),
        to: new Date(harm.toMs).toISOString()
      })
    }
    rows.push({ ...line, tenant: victim, billed_pico: -pico })
    rows.push({ ...line, tenant: culprit, billed_pico: pico })
  }
  await addRows(engine, head, rows)
}

const findingsOf = async (engine: Engine, month: Month): Promise<Finding[]> => {
  const rows = await engine.rows(`SELECT finding FROM temp.findings WHERE signal = 'cache-thrash'
    AND started_at < ${timestampSql(month.toMs)} AND detected_at >= ${timestampSql(month.fromMs)}
    ORDER BY sequence`)
  return rows.map(({ finding }) => Finding.parse(JSON.parse(finding as string)))
}

type Harm = {
  victim: string
  culprit: string
  fingerprint: string
  query: string
  /** Tokens a minute that the cache had seen and no longer served, more than before. */
  lostPerMinute: number
  fromMs: number
  toMs: number
}

const Culprit = z.looseObject({ tenant: z.string(), confidence: z.literal('high') })
const Victim = z.looseObject({
  tenant: z.string(),
  remissed_tokens_per_minute_before: z.number(),
  remissed_tokens_per_minute_after: z.number()
})

/** Of incidents that several findings tell of, the last word counts, and no minute twice. */
const harms = (findings: readonly Finding[]): Harm[] => {
  const last = new Map<string, Finding>()
  const ends = new Map<string, number>()
  for (const finding of findings) {
    const { fingerprint, status, detected_at: at } = finding
    ends.set(fingerprint, Date.parse(at))
    if (status === 'firing') last.set(fingerprint, finding)
  }
  const taken: Harm[] = []
  for (const finding of last.values()) {
    for (const harm of harmsOf(finding, ends.get(finding.fingerprint) ?? 0)) {
      const isCounted = taken.some(
        (other) =>
          other.victim === harm.victim && other.fromMs < harm.toMs && harm.fromMs < other.toMs
      )
      if (!isCounted) taken.push(harm)
    }
  }
  return taken
}

const harmsOf = (finding: Finding, endMs: number): Harm[] => {
  const culprit = Culprit.safeParse(finding.culprit)
  if (!culprit.success || culprit.data['also'] !== undefined) return []
  return finding.victims.flatMap((figures) => {
    const victim = Victim.safeParse(figures)
    if (!victim.success) return []
    const {
      tenant,
      remissed_tokens_per_minute_before: before,
      remissed_tokens_per_minute_after: after
    } = victim.data
    return [
      {
        victim: tenant,
        culprit: culprit.data.tenant,
        fingerprint: finding.fingerprint,
        query: finding.query,
        lostPerMinute: Math.max(0, after - before),
        fromMs: Date.parse(finding.started_at),
        toMs: endMs
      }
    ]
  })
}

const MINUTE_MS = 60_000

/**
 * Tokens lost within the month, at what a token read from the cache saved this victim on average,
 * and never more than the victim paid in the month.
 */
const extraCost = async (engine: Engine, month: Month, harm: Harm): Promise<bigint> => {
  const minutes =
    (Math.min(harm.toMs, month.toMs) - Math.max(harm.fromMs, month.fromMs)) / MINUTE_MS
  const lost = BigInt(Math.round(harm.lostPerMinute * Math.max(0, minutes)))
  const [row] = await engine.rows(`SELECT
      coalesce(sum(saved_pico) FILTER (meter = 'in_cache_read'), 0)::VARCHAR AS saved,
      coalesce(sum(quantity) FILTER (meter = 'in_cache_read' AND saved_pico IS NOT NULL), 0)::VARCHAR AS tokens,
      coalesce(sum(billed_pico) FILTER (meter LIKE 'in%'), 0)::VARCHAR AS paid
    FROM ${LEDGER} WHERE month = ${quoted(month.name)} AND category = 'usage' AND tenant = ${quoted(harm.victim)}`)
  const of = (name: string): bigint => BigInt(row?.[name] as string)
  if (of('tokens') <= 0n || of('saved') <= 0n) return 0n
  const pico = divideNearest(lost * of('saved'), of('tokens'))
  return pico < of('paid') ? pico : of('paid')
}
