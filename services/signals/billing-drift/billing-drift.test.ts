import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { backtestEvents } from '../../../jobs/detect/backtest.ts'
import { normalize } from '../../collect/normalize/normalize.ts'
import { openMemory } from '../../lake/memory.ts'
import type { TokenCounts } from '../../rates/prices/buckets.ts'
import { priceUsage } from '../../rates/prices/usage.ts'
import { formatUsd } from '../../../schemas/money.ts'
import type { Finding } from '../../../schemas/finding.ts'
import { BILLING_BUGS, billedCalls, type BillingBug } from '../../../infra/worlds/billing-bugs.ts'
import { BOOK } from './book.ts'
import signal from './signal.ts'

const START_MS = Date.parse('2026-10-06T09:00:00Z')
const bodies = new URL('../../../../shared/data/provider-usage/usages.jsonl.gz', import.meta.url)
const skip = existsSync(bodies) ? false : 'the recorded bodies are not here'

type Event = Record<string, unknown>

/** Findings over the events, and how many rows the first finding's query returns. */
const play = async (events: readonly Event[]): Promise<{ findings: Finding[]; rows: number }> => {
  const traces = await readFile(new URL('traces.sql', import.meta.url), 'utf8')
  const loaded = { ...signal, id: 'billing-drift', sql: { traces }, runbook: '' }
  const database = await openMemory()
  const { findings } = await backtestEvents(
    events.map((event) => JSON.stringify(event)),
    {
      database,
      signals: [loaded],
      book: BOOK,
      onBad: (bad) => assert.fail(bad.reason)
    }
  )
  let rows = 0
  if (findings[0] !== undefined) {
    const sql = `SELECT count(*)::DOUBLE AS n FROM (${findings[0].query})`
    for await (const { columns } of database.columns(sql)) rows = Number(columns['n']?.[0])
  }
  database.close()
  return { findings, rows }
}

const costOf = ({ provider, model }: BillingBug, tokens: TokenCounts): bigint =>
  priceUsage(BOOK, { provider, response_model: model, tokens, timeMs: START_MS }).costPico ?? 0n

/** The first minutes are sound. */
const eventsOf = (bug: BillingBug, seed: number): Event[] =>
  billedCalls(bug, { count: 24, sound: 8, seed }).map(({ recorded, priced }, n) => ({
    id: `e${n}`,
    time: new Date(START_MS + n * 20_000).toISOString(),
    tenant: `t${n % 3}`,
    kind: 'llm',
    provider: bug.provider,
    response_model: bug.model,
    tokens: recorded,
    cost_reported_usd: formatUsd(costOf(bug, priced))
  }))

for (const [name, bug] of Object.entries(BILLING_BUGS)) {
  test(`a known bug of a meter is named by its token class: ${name}`, async () => {
    for (const seed of [1, 2]) {
      const { findings, rows } = await play(eventsOf(bug, seed))
      const [found] = findings
      assert.ok(found !== undefined, 'nothing found')
      assert.equal(found.after['cause'], bug.cause)
      assert.equal(found.after['wrong_side'], bug.side)
      assert.equal(rows, found.after['differing_calls'])
      assert.ok(Date.parse(found.detected_at) - START_MS <= 6 * 60_000)
      assert.equal(new Set(findings.map(({ fingerprint }) => fingerprint)).size, 1)
    }
  })
}

const recordedEvents = (): Event[] =>
  gunzipSync(readFileSync(bodies))
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { i: number; body: { usage?: Event }; model: string })
    .filter(({ body }) => typeof body.usage?.['cost'] === 'number')
    .map(({ i, body, model }) => {
      const read = normalize({ provider: 'openrouter', api: null, model, body })
      return {
        id: String(i),
        time: new Date(Date.parse('2026-11-12T12:00:00Z') + i * 1000).toISOString(),
        tenant: 'a',
        kind: 'llm',
        provider: 'openrouter',
        response_model: model,
        tokens: read.tokens,
        usage: body.usage,
        cost_reported_usd: read.cost_reported_usd
      }
    })

/** Whether the stated cost is more than 1 % off what the tokens cost by the book. */
const isOff = (event: Event): boolean => {
  const { provider, response_model, tokens, time, cost_reported_usd } = event as Record<
    string,
    string
  >
  const { costPico } = priceUsage(BOOK, {
    provider: provider ?? null,
    response_model: response_model ?? null,
    tokens: tokens as unknown as TokenCounts,
    timeMs: Date.parse(time ?? '')
  })
  const stated = Number(cost_reported_usd) * 1e12
  return costPico !== null && Math.abs(stated - Number(costPico)) > 0.01 * Number(costPico)
}

test(
  'recorded bodies that state a cost: each mismatch is classed, the others are silent',
  { skip },
  async (t) => {
    const events = recordedEvents()
    const { findings } = await play(events)
    const firing = findings.filter(({ status }) => status === 'firing')
    for (const { summary } of firing) t.diagnostic(summary)
    const causes = (cause: string): string[] =>
      firing
        .filter(({ after }) => after['cause'] === cause)
        .map(({ scope }) => scope['model'] ?? '')
    assert.deepEqual(causes('tool-charge').sort(), [
      'openai/gpt-4o-mini',
      'openai/gpt-5.1-codex-mini'
    ])
    assert.equal(causes('price').length, firing.length - 2)
    const models = (own: readonly (string | undefined)[]): string[] =>
      [...new Set(own)].map(String).toSorted()
    assert.deepEqual(
      models(firing.map(({ scope }) => scope['model'])),
      models(events.filter(isOff).map((event) => event['response_model'] as string))
    )
  }
)

test('a restart in the middle of an incident neither repeats nor loses anything', async () => {
  const bug = BILLING_BUGS['bifrost#3451: cache writes counted as input once more']!
  const traces = await readFile(new URL('traces.sql', import.meta.url), 'utf8')
  const opened = signal.open()
  const restarting = {
    ...signal,
    id: 'billing-drift',
    sql: { traces },
    runbook: '',
    open: () => {
      let fold = signal.open()
      return {
        fold: (minute: Parameters<typeof opened.fold>[0]) => {
          fold = signal.open({}, fold.save())
          return fold.fold(minute)
        },
        save: () => fold.save()
      }
    }
  }
  const lines = eventsOf(bug, 3).map((event) => JSON.stringify(event))
  const results = []
  for (const one of [restarting, { ...restarting, open: signal.open }]) {
    const database = await openMemory()
    results.push((await backtestEvents(lines, { database, signals: [one], book: BOOK })).findings)
    database.close()
  }
  assert.ok(results[0]!.length > 0)
  assert.deepEqual(results[0], results[1])
})
