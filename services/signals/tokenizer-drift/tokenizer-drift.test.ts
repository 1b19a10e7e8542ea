import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import type { Finding } from '../../../schemas/finding.ts'
import { backtestEvents } from '../../../jobs/detect/backtest.ts'
import { openMemory } from '../../lake/memory.ts'
import { loadBook } from '../../rates/prices/book.ts'
import type { Signal } from '../define.ts'
import { recordBytes } from '../statistics/records.ts'
import { SHAPE } from './series.ts'
import signal from './signal.ts'
import { TOKENIZERS, type Call } from '../../../infra/score/real-tokens.ts'

const START_MS = Date.parse('2026-10-06T09:00:00Z')
/** Time between events. */
const STEP_MS = 20_000
const shared = new URL('../../../../shared/data/', import.meta.url)
const skip = existsSync(shared) ? false : 'the recorded calls are not here'
const book = await loadBook()

type Event = Record<string, unknown>

const play = async (events: readonly Event[], played: Signal = signal): Promise<Finding[]> => {
  const traces = await readFile(new URL('traces.sql', import.meta.url), 'utf8')
  const loaded = { ...played, id: 'tokenizer-drift', sql: { traces }, runbook: '' }
  const database = await openMemory()
  const lines = events.map((event, n) =>
    JSON.stringify({
      id: `e${n}`,
      time: new Date(START_MS + n * STEP_MS).toISOString(),
      tenant: 'a',
      kind: 'llm',
      ...event
    })
  )
  const onBad = (bad: { reason: string }): void => assert.fail(bad.reason)
  const { findings } = await backtestEvents(lines, { database, signals: [loaded], book, onBad })
  await checkQueries(database, findings)
  database.close()
  return findings
}

/** Each finding's query returns the calls that it claims, and their drift. */
const checkQueries = async (
  database: Awaited<ReturnType<typeof openMemory>>,
  findings: readonly Finding[]
): Promise<void> => {
  for (const { query, after } of findings) {
    const sql = `SELECT calls::DOUBLE AS calls, drift_ratio_pct::DOUBLE AS ratio FROM (${query})`
    for await (const { columns } of database.columns(sql)) {
      assert.equal(columns['calls']?.[0], after['calls'])
      const off = Math.abs(Number(columns['ratio']?.[0]) - Number(after['drift_ratio_pct']))
      assert.ok(off < 0.01, query)
    }
  }
}

const linesOf = <Line>(path: string): Line[] =>
  gunzipSync(readFileSync(new URL(path, shared)))
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)

/** Calls whose output is text and nothing else, as the recordings' notice says. */
type Compared = { model: string; family: string; local: number; billed: number; atMs: number }

const comparable = (): Compared[] =>
  linesOf<Call>('billed-vs-local/calls.jsonl.gz')
    .flatMap((call) => {
      const { family, model_resolved: model, billed_out: billed } = call
      const local = call.local_out?.[TOKENIZERS[family] ?? ''] ?? 0
      const isText =
        call.out_flags.length === 0 && !call.reasoning && !/tool/.test(call.finish ?? '')
      return isText && model !== null && billed !== null && local >= 20
        ? [{ model, family, local, billed }]
        : []
    })
    .map((call, n) => ({ ...call, atMs: START_MS + n * STEP_MS }))

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2
}

test(
  'on recorded calls Claude is found with an interval that covers the median, Gemini is not',
  { skip },
  async (t) => {
    const calls = comparable()
    const findings = await play(
      calls.map(({ model, family, local, billed }) => ({
        provider: family,
        response_model: model,
        script: 'Latn',
        local: { tokenizer: TOKENIZERS[family], out: local },
        tokens: { out_text: billed }
      }))
    )
    for (const { summary } of findings) t.diagnostic(summary)
    const claude = findings.filter(({ scope }) => scope['provider'] === 'anthropic')
    const last = claude.at(-1)
    assert.ok(last !== undefined && Number(last.after['drift_low_pct']) > 1, 'more was billed')
    const models = new Set<unknown>()
    for (const { scope, after, contributors, detected_at: at } of claude) {
      for (const one of [{ model: scope['model'], ...after }, ...contributors]) {
        const stated: Record<string, unknown> = one
        const own = calls.filter(
          ({ model, family, atMs }) =>
            family === 'anthropic' &&
            atMs < Date.parse(at) &&
            (stated['model'] === '*' || model === stated['model'])
        )
        const typical = 100 * (median(own.map(({ local, billed }) => billed / local)) - 1)
        const [low, high] = [Number(stated['drift_low_pct']), Number(stated['drift_high_pct'])]
        assert.equal(stated['calls'], own.length)
        assert.ok(typical >= low && typical <= high, `${String(stated['model'])}: ${typical}`)
        models.add(stated['model'])
      }
    }
    assert.ok(models.size >= 5, `${models.size} models`)
    assert.deepEqual(
      findings.filter(({ scope }) => TOKENIZERS[scope['provider'] ?? ''] === 'gemma3'),
      []
    )
  }
)

type Paragraph = { script: string; tokens: Record<string, number> }

test(
  'on the same text in many scripts the drift of each has the right sign, and Latin of English none',
  { skip },
  async () => {
    const paragraphs = linesOf<Paragraph & { lang: string }>(
      'multilingual-tokens/udhr_paragraphs.jsonl.gz'
    )
    const findings = await play(
      paragraphs.map(({ script, lang, tokens }) => ({
        provider: 'a',
        response_model: 'm',
        script: lang === 'eng' ? 'English' : script,
        local: { tokenizer: 'o200k', out: tokens['o200k'] },
        tokens: { out_text: tokens['cl100k'] }
      }))
    )
    const scripts = new Map<string, number[]>()
    for (const { script, lang, tokens } of paragraphs) {
      const name = lang === 'eng' ? 'English' : script
      if (tokens['o200k']! < 20) continue
      const ratios = scripts.get(name) ?? []
      scripts.set(name, [...ratios, tokens['cl100k']! / tokens['o200k']!])
    }
    for (const [script, ratios] of scripts) {
      const own = findings.find(({ scope }) => scope['script'] === script)
      if (script === 'English') assert.equal(own, undefined)
      else if (ratios.length >= 20) {
        assert.ok(own !== undefined, `${script}: ${ratios.length}, ${median(ratios)}`)
        const sign = Math.sign(median(ratios) - 1)
        assert.equal(Math.sign(Number(own.after['drift_median_pct'])), sign, script)
      }
    }
  }
)

/** A signal that is saved and restored before every minute. */
const restarting = (): Signal => ({
  ...signal,
  open: () => {
    let fold = signal.open()
    return {
      fold: (minute) => {
        fold = signal.open({}, fold.save())
        return fold.fold(minute)
      },
      save: () => fold.save()
    }
  }
})

test('a restart before every minute changes nothing, and a series takes at most 2 KB', async () => {
  const events = Array.from({ length: 300 }, (_, n) => ({
    provider: 'a',
    response_model: n < 150 ? 'm1' : 'm2',
    script: 'Latn',
    local: { tokenizer: 't', out: 100 + (n % 50) },
    tokens: { out_text: Math.round((100 + (n % 50)) * (n < 150 ? 1.07 : 1.35)) }
  }))
  const through = await play(events)
  assert.deepEqual([...new Set(through.map(({ scope }) => scope['model']))], ['m1', 'm2'])
  assert.deepEqual(await play(events, restarting()), through)
  assert.ok(recordBytes(SHAPE) <= 2048, `${recordBytes(SHAPE)} bytes`)
})
