import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { rerankMinute } from '../../../infra/worlds/rerank-minutes.ts'
import { drawRerankTenants, playReranks, type RankedQuery } from '../../../infra/worlds/rerank.ts'
import type { Draft, Minute } from '../define.ts'
import { recordBytes } from '../statistics/records.ts'
import { SHAPE } from './record.ts'
import signal from './signal.ts'

const START_MS = Date.parse('2026-03-02T00:00:00Z')
const MINUTE_MS = 60_000
const RUNS = new URL(
  '../../../../shared/data/reranker-scores/trec_robust03_runs_top50.csv.gz',
  import.meta.url
)
const real = existsSync(RUNS) ? {} : { skip: 'the runs of TREC are not beside the checkout' }

type List = Pick<RankedQuery, 'query' | 'documents' | 'scores'>

/** By system: its ranked list of each topic, in order of topics. */
const readSystems = (): Map<string, List[]> => {
  const systems = new Map<string, Map<string, { documents: string[]; scores: number[] }>>()
  const lines = gunzipSync(readFileSync(RUNS)).toString('utf8').trim().split('\n').slice(1)
  for (const line of lines) {
    const [system, topic, , document, score] = line.split(',') as [
      string,
      string,
      string,
      string,
      string
    ]
    const topics =
      systems.get(system) ?? new Map<string, { documents: string[]; scores: number[] }>()
    systems.set(system, topics)
    const list = topics.get(topic) ?? { documents: [], scores: [] }
    topics.set(topic, list)
    list.documents.push(document)
    list.scores.push(Number(score))
  }
  const inOrder = ([a]: [string, unknown], [b]: [string, unknown]): number => Number(a) - Number(b)
  return new Map(
    [...systems].map(([system, topics]) => [
      system,
      [...topics].sort(inOrder).map(([query, list]) => ({ query, ...list }))
    ])
  )
}

/** One query a minute; what fired, by the number of the query. */
const fired = (lists: readonly List[]): { at: number; draft: Draft }[] => {
  const fold = signal.open()
  return lists.flatMap((list, at) => {
    const ms = START_MS + at * MINUTE_MS
    return fold
      .fold(rerankMinute(ms, [{ ...list, ms, candidates: 100 }]))
      .filter(({ status }) => status === 'firing')
      .map((draft) => ({ at, draft }))
  })
}

test('every swap of one real system for another is found, and none before it', real, () => {
  const systems = [...readSystems().values()]
  const delays: number[] = []
  for (const before of systems) {
    for (const after of systems) {
      if (before === after) continue
      const found = fired([...before, ...after])
      assert.equal(found.length, 1)
      assert.ok(found[0]!.at >= before.length, 'nothing before the swap')
      assert.equal(found[0]!.draft.after['mechanism'], 'reranker')
      delays.push(found[0]!.at - before.length + 1)
    }
  }
  assert.ok(Math.max(...delays) <= 50, `after ${Math.max(...delays)} queries`)
})

test('one real system, its topics split in halves or asked twice, is no drift', real, () => {
  for (const lists of readSystems().values()) {
    const odd = lists.filter((_, index) => index % 2 === 1)
    const even = lists.filter((_, index) => index % 2 === 0)
    for (const halves of [lists, [...odd, ...even], [...lists, ...lists]]) {
      assert.deepEqual(fired(halves), [])
    }
  }
})

const worldMinutes = (shift: number, replaced: number): Minute[] => {
  const [drawn] = drawRerankTenants(1, 3)
  const tenant = { ...drawn!, queriesPerMinute: 1, repeatShare: 0.3, hourSwing: 0.1 }
  const change = { minute: 2 * 1440, shift, replaced }
  const minutes: Minute[] = []
  const run = { tenant, startMs: START_MS, days: 2.5, change, seed: 8 }
  playReranks(run, (ms, queries) => minutes.push(rerankMinute(ms, queries)))
  return minutes
}

test('other documents with the scores they had are the retriever, other scores the reranker', () => {
  for (const [shift, replaced, mechanism] of [
    [-3, 0, 'reranker'],
    [0, 0.9, 'retriever']
  ] as const) {
    const fold = signal.open()
    const [first] = worldMinutes(shift, replaced).flatMap((minute) => fold.fold(minute))
    assert.equal(first?.after['mechanism'], mechanism)
    assert.ok(Date.parse(first.detected_at) > START_MS + 2 * 1440 * MINUTE_MS)
  }
})

test('a restart in the middle of a drift neither repeats nor loses anything', () => {
  const minutes = worldMinutes(-3, 0)
  const through = signal.open()
  const all = minutes.flatMap((minute) => through.fold(minute))
  assert.ok(all.length > 0)
  const at = minutes.findIndex(({ startMs }) => startMs >= START_MS + 2 * 1440 * MINUTE_MS)
  for (const cut of [at - 400, at + 5, at + 60]) {
    const first = signal.open()
    const before = minutes.slice(0, cut).flatMap((minute) => first.fold(minute))
    const second = signal.open({}, first.save())
    const after = minutes.slice(cut).flatMap((minute) => second.fold(minute))
    assert.deepEqual([...before, ...after], all)
    assert.deepEqual(second.save(), through.save())
  }
})

test('a reranker is remembered in two kilobytes', () => {
  assert.ok(recordBytes(SHAPE) <= 2048, `${recordBytes(SHAPE)} bytes`)
})
