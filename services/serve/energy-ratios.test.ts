import assert from 'node:assert/strict'
import { readdir, rename } from 'node:fs/promises'
import path from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { openSettling } from '../../jobs/settle/scratch-settling.ts'
import { sharedEngine } from '../lake/scratch-lake.ts'
import { openTestApi } from './test-cluster.ts'

const START_MS = Date.parse('2026-03-02T09:00:00Z')
const HOURS = 'from=2026-03-02T00:00:00Z&to=2026-03-03T00:00:00Z'
const MINUTES = 'from=2026-03-02T09:00:00Z&to=2026-03-02T11:00:00Z'
const CALLS = 60

/** Of each minute: a call with energy, one that tells no output, and a tool that tells some. */
const eventsFrom = (first: number): object[] =>
  Array.from({ length: CALLS }, (_, index) =>
    [
      { kind: 'llm', tokens: { in_uncached: 500, out_text: 40 } },
      { kind: 'llm', tokens: { in_uncached: 900 } },
      { kind: 'tool', name: 'search', tokens: { out_text: 7000 } }
    ].map((given, which) => ({
      id: `${first + index}-${which}`,
      time: new Date(START_MS + (first + index) * 60_000).toISOString(),
      tenant: 'acme',
      provider: 'vllm',
      response_model: 'Qwen3-32B',
      gpu: 'H100',
      ...given
    }))
  ).flat()

type Told = Record<'calls' | 'mid_j' | 'j_per_call' | 'output_tokens_per_j', number | null>
type Answer = { total: Told; by_tenant: Told[]; by_model: Told[] }

const askAll = async (t: TestContext, dir: string): Promise<Told[]> => {
  const api = await openTestApi(t, dir)
  const answers: Told[] = []
  for (const range of [HOURS, MINUTES]) {
    const { status, json } = await api.get(`/v1/energy?${range}`)
    assert.equal(status, 200)
    const { total, by_tenant, by_model } = json as unknown as Answer
    answers.push(total, ...by_tenant, ...by_model)
  }
  return answers
}

const near = (seen: number | null, expected: number): void =>
  assert.ok(seen !== null && Math.abs(seen / expected - 1) < 1e-9, `${seen}, not ${expected}`)

/** What landed before these columns were: windows without them. */
const forget = async (dir: string, table: string): Promise<void> => {
  const engine = await sharedEngine()
  const folder = path.join(dir, table)
  const names = (await readdir(folder)).filter((name) => name.endsWith('.parquet'))
  assert.ok(names.length > 0)
  for (const name of names) {
    const [file, older] = [path.join(folder, name), path.join(folder, `${name}.older`)]
    await engine.run(`COPY (SELECT * EXCLUDE (energy_n, energy_out_total, energy_told_uj)
      FROM read_parquet('${file}')) TO '${older}' (FORMAT parquet)`)
    await rename(older, file)
  }
}

describe('ratios of energy', { timeout: 120_000 }, () => {
  test('are of the same calls on both sides, by the hour as by the minute', async (t) => {
    const settling = await openSettling(t)
    await settling.land(eventsFrom(0))
    await settling.settle()
    await settling.land(eventsFrom(60))
    await settling.settle()
    for (const told of await askAll(t, settling.dir)) {
      assert.equal(told.calls, 2 * CALLS)
      near(told.j_per_call, told.mid_j! / (2 * CALLS))
      near(told.output_tokens_per_j, (2 * CALLS * 40) / told.mid_j!)
    }
  })

  test('are null over windows that do not tell the calls, which keep their energy', async (t) => {
    const settling = await openSettling(t)
    await settling.land(eventsFrom(0))
    await settling.settle()
    await forget(settling.dir, 'windows_settled')
    for (const told of await askAll(t, settling.dir)) {
      assert.ok(told.mid_j! > 0)
      assert.deepEqual([told.calls, told.j_per_call, told.output_tokens_per_j], [null, null, null])
    }
  })

  test('take no energy of older windows that are beside newer ones', async (t) => {
    const settling = await openSettling(t)
    await settling.land(eventsFrom(0))
    await settling.settle()
    await forget(settling.dir, 'windows_settled')
    await settling.land(eventsFrom(60))
    await settling.settle()
    for (const told of await askAll(t, settling.dir)) {
      assert.equal(told.calls, CALLS)
      near(told.j_per_call, told.mid_j! / (2 * CALLS))
      near(told.output_tokens_per_j, (2 * CALLS * 40) / told.mid_j!)
    }
  })

  test('are null while no hour is settled: flushed windows hold no energy, and claim no 0', async (t) => {
    const settling = await openSettling(t)
    await settling.land(eventsFrom(0))
    for (const told of await askAll(t, settling.dir)) {
      assert.deepEqual([told.calls, told.mid_j, told.j_per_call], [null, null, null])
    }
  })
})
