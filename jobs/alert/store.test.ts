import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import type { Finding } from '../../schemas/finding.ts'
import { INCIDENT_SEQUENCE_KEY, nextSequence, numberFindings } from '../../schemas/incidents.ts'
import { Engine } from '../../services/lake/engine.ts'
import { openLake } from '../../services/lake/lake.ts'
import { parquetWriter } from '../../services/lake/land-table.ts'
import { INHIBITIONS } from './incidents/inhibition.ts'
import { openLakeStore } from './lake-store.ts'
import { openMemoryStore } from './memory-store.ts'
import { sampleFinding } from './sample.ts'
import { readFold, stepFold, type StepOptions } from './step.ts'
import type { AlertStore } from './store.ts'

/** One suite for both stores; `reopen` gives a second one on the same content, as after a kill. */
type Opened = { store: AlertStore; reopen: () => Promise<AlertStore> }

const openMemory = (): Promise<Opened> => {
  const store = openMemoryStore()
  return Promise.resolve({ store, reopen: () => Promise.resolve(store) })
}

const openOnLake = async (t: TestContext): Promise<Opened> => {
  const folder = await mkdtemp(join(tmpdir(), 'alert-store-'))
  const engine = await Engine.open()
  t.after(async () => {
    engine.close()
    await rm(folder, { recursive: true, force: true })
  })
  const reopen = async (): Promise<AlertStore> => {
    const lake = await openLake(folder, { writeParquet: parquetWriter(engine), create: true })
    const coverage = () => Promise.resolve([])
    return openLakeStore({ lake, engine, generation: 'test', watermarkMs: () => null, coverage })
  }
  return { store: await reopen(), reopen }
}

const NOW = new Date('2026-01-01T09:00:00.000Z')
const OPTIONS: StepOptions = {
  settings: { budgetPerTenantDay: 20, inhibitions: INHIBITIONS },
  generation: 'test',
  clock: () => NOW,
  watchSilence: true
}

/** What the detect job does: findings and its own place in one commit. */
const commitFindings = (store: AlertStore, findings: readonly Finding[]): Promise<boolean> =>
  store.commit((state) => {
    const numbered = numberFindings(state, findings)
    return { state: { ...numbered.state, 'fold/test': 1 }, findings: numbered.rows }
  })

const action = {
  at: NOW.toISOString(),
  by: 'ada',
  note: "it's known",
  action: 'mute' as const,
  fingerprint: null,
  tenant: 'tenant-b',
  signal: null,
  until: '2026-01-02T00:00:00.000Z'
}

for (const [name, open] of [
  ['memory', openMemory],
  ['lake', openOnLake]
] as const) {
  describe(`the store in the ${name}`, () => {
    test('is empty at first', async (t) => {
      const { store } = await open(t)
      assert.equal(nextSequence(await store.state()), 1)
      assert.deepEqual(await store.entries(0, 10), [])
      assert.deepEqual(await store.notices(0, 10), [])
      assert.deepEqual(await store.findings([1]), new Map())
    })

    test('gives findings and actions back in one order, whole, from any place', async (t) => {
      const { store, reopen } = await open(t)
      const odd = sampleFinding({ tenant: "a\0b' \u{1F600}", fingerprint: 'x\n"y"', victims: [] })
      await commitFindings(store, [sampleFinding(), odd])
      await store.commit((state) => ({
        state: { [INCIDENT_SEQUENCE_KEY]: nextSequence(state) + 1 },
        actions: [{ ...action, sequence: nextSequence(state) }]
      }))
      await commitFindings(store, [sampleFinding({ status: 'resolved', tenant: null })])
      const again = await reopen()
      const entries = await again.entries(0, 10)
      assert.deepEqual(
        entries.map(({ sequence }) => sequence),
        [1, 2, 3, 4]
      )
      assert.deepEqual(entries[1], { sequence: 2, finding: odd })
      assert.deepEqual(entries[2], { sequence: 3, action })
      assert.deepEqual(
        (await again.entries(2, 1)).map(({ sequence }) => sequence),
        [3]
      )
      assert.deepEqual(new Set((await again.findings([2, 4, 9])).keys()), new Set([2, 4]))
    })

    test('commits nothing when there is nothing, and all or nothing otherwise', async (t) => {
      const { store } = await open(t)
      assert.equal(await store.commit(() => null), false)
      await assert.rejects(
        store.commit(() => {
          throw new Error('stop')
        }),
        /stop/
      )
      assert.deepEqual(await store.notices(0, 10), [])
    })

    test('a step folds each finding once, however often it is run and restarted', async (t) => {
      const { store, reopen } = await open(t)
      await commitFindings(store, [sampleFinding()])
      assert.deepEqual(await stepFold(store, OPTIONS), { entries: 1, notices: 1 })
      assert.deepEqual(await stepFold(await reopen(), OPTIONS), { entries: 0, notices: 0 })
      await commitFindings(store, [
        sampleFinding({ status: 'resolved', detected_at: '2026-01-01T10:00:00.000Z' })
      ])
      assert.deepEqual(await stepFold(await reopen(), OPTIONS), { entries: 1, notices: 1 })
      const notices = await store.notices(0, 10)
      assert.deepEqual(
        notices.map(({ kind }) => kind),
        ['opened', 'resolved']
      )
      assert.equal(notices[0]?.at, NOW.toISOString())
      assert.equal(readFold(await store.state()).through, 2)
    })

    test('two processes that fold at once write each notice once', async (t) => {
      const { store, reopen } = await open(t)
      const other = await reopen()
      const worse = { severity: 'critical' as const, detected_at: '2026-01-01T08:09:00.000Z' }
      await commitFindings(store, [sampleFinding(), sampleFinding(worse)])
      await Promise.all([stepFold(store, OPTIONS), stepFold(other, OPTIONS)])
      const notices = await store.notices(0, 10)
      assert.deepEqual(
        notices.map(({ number }) => number),
        [1, 2]
      )
    })

    test('a hole in the order of findings is an error and not a lost alert', async (t) => {
      const { store } = await open(t)
      await store.commit(() => ({
        state: { [INCIDENT_SEQUENCE_KEY]: 3 },
        findings: numberFindings(new Map([[INCIDENT_SEQUENCE_KEY, 2]]), [sampleFinding()]).rows
      }))
      await assert.rejects(stepFold(store, OPTIONS), { code: 'E_LAKE_CORRUPT' })
    })
  })
}

test('a budget that is used up again and again is folded in a few steps', async () => {
  const store = openMemoryStore()
  const dayMs = 86_400_000
  for (let day = 0; day < 6; day++) {
    const clock = () => new Date(NOW.getTime() + day * (dayMs + 1))
    const options = { ...OPTIONS, clock, settings: { ...OPTIONS.settings, budgetPerTenantDay: 1 } }
    const detected_at = new Date(NOW.getTime() + day * hourMs).toISOString()
    await commitFindings(store, [
      sampleFinding({ fingerprint: `a${day}`, detected_at }),
      sampleFinding({ fingerprint: `b${day}`, detected_at })
    ])
    const { entries } = await stepFold(store, options)
    assert.ok(entries <= 4, `${entries} entries on day ${day}`)
  }
  assert.ok((await store.notices(0, 99)).some(({ signal }) => signal === 'alert-budget'))
})

const hourMs = 3_600_000

describe('silence', () => {
  const nowMs = NOW.getTime()
  const coverage = (silentMs: number) => [
    { tenant: 'tenant-b', lastMs: nowMs - silentMs, gapMsMax: hourMs, windows: 500 }
  ]

  test('becomes a finding, then an incident, and resolves when data is back', async () => {
    const store = openMemoryStore()
    store.setCoverage(coverage(2 * hourMs), nowMs)
    assert.deepEqual(await stepFold(store, OPTIONS), { entries: 0, notices: 0 })
    store.setCoverage(coverage(2 * hourMs + 1), nowMs)
    assert.deepEqual(await stepFold(store, OPTIONS), { entries: 1, notices: 1 })
    assert.deepEqual(await stepFold(store, OPTIONS), { entries: 0, notices: 0 })
    store.setCoverage(coverage(0), nowMs + hourMs)
    await stepFold(store, OPTIONS)
    const kinds = (await store.notices(0, 10)).map(({ signal, kind }) => `${signal} ${kind}`)
    assert.deepEqual(kinds, ['no-data opened', 'no-data resolved'])
  })

  test('that comes and goes is folded in a few steps, though its resolve is held', async () => {
    const store = openMemoryStore()
    for (let half = 0; half < 8; half++) {
      const atMs = nowMs + (half * hourMs) / 2
      const lastMs = half % 2 === 0 ? atMs - 3 * hourMs : atMs
      store.setCoverage([{ tenant: 'tenant-b', lastMs, gapMsMax: hourMs, windows: 500 }], atMs)
      assert.equal((await stepFold(store, OPTIONS)).entries, 1, `half hour ${half}`)
    }
    const kinds = (await store.notices(0, 99)).map(({ kind }) => kind)
    assert.deepEqual(kinds.slice(0, 5), ['opened', 'resolved', 'reopened', 'resolved', 'reopened'])
    assert.equal(
      kinds.filter((kind) => kind === 'resolved').length,
      2,
      'the third is held for quiet'
    )
  })

  test('is not judged of who is hardly known, nor of tenants while the watermark is not', async () => {
    const store = openMemoryStore()
    store.setCoverage([{ tenant: 'new', lastMs: 0, gapMsMax: 0, windows: 19 }], nowMs)
    assert.deepEqual(await stepFold(store, OPTIONS), { entries: 0, notices: 0 })
    store.setCoverage(coverage(9 * hourMs), null)
    assert.deepEqual(await stepFold(store, OPTIONS), { entries: 0, notices: 0 })
  })

  test('of everybody is judged by the clock, since a stalled log moves no watermark', async () => {
    const store = openMemoryStore()
    store.setCoverage(
      [{ tenant: null, lastMs: nowMs - 3 * hourMs, gapMsMax: hourMs, windows: 20 }],
      null
    )
    assert.deepEqual(await stepFold(store, OPTIONS), { entries: 1, notices: 1 })
    assert.equal((await store.notices(0, 1))[0]?.fingerprint, 'no-data')
  })
})
