import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { runCli } from '../shell.ts'

const START_MS = Date.parse('2026-03-02T09:00:00Z')
const NOW_MS = START_MS + 86_400_000

const tally = async (...args: string[]) => {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const code = await runCli(args, {
    stdin,
    stdout,
    stderr,
    now: () => new Date(NOW_MS),
    env: {}
  })
  const text = (stream: PassThrough): string => String(stream.read() ?? '')
  return { code, out: text(stdout), err: text(stderr) }
}

const SECONDS = 600
const isBusy = (second: number): boolean => second >= 100 && second < 160

/** Two tenants on one host: twelve calls of eight seconds. */
const calls = (): string =>
  Array.from({ length: 12 }, (_, index) =>
    JSON.stringify({
      id: `call-${index}`,
      source: 'gateway',
      time: new Date(START_MS + (100 + 4 * index) * 1000).toISOString(),
      tenant: index % 3 === 0 ? 'acme' : 'beta',
      kind: 'llm',
      provider: 'vllm',
      response_model: 'meta-llama/Llama-3.1-8B-Instruct',
      trace_id: `task-${index % 4}`,
      duration_ms: 8000,
      ttft_ms: 400,
      status: index === 11 ? 500 : 200,
      host: 'node-1',
      gpu: 'H100',
      n_gpus: 1,
      tokens: { in_uncached: 800, in_cache_read: 200, out_text: 300 }
    })
  ).join('\n')

/** A scrape a second of a counter that begins anew after 300 seconds, as on a driver's reload. */
const scrapes = (): string => {
  let millijoules = 5_000_000
  return Array.from({ length: SECONDS + 1 }, (_, second) => {
    if (second > 0) millijoules += isBusy(second - 1) ? 300_000 : 60_000
    if (second === 300) millijoules = 1000
    const labels = '{gpu="0",UUID="GPU-1",modelName="NVIDIA H100",Hostname="node-1"}'
    const timeMs = START_MS + second * 1000
    return `DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION${labels} ${millijoules} ${timeMs}`
  }).join('\n')
}

describe('tally energy over a lake', () => {
  let folder = ''
  let data = ''
  const write = async (name: string, text: string): Promise<string> => {
    const file = path.join(folder, name)
    await writeFile(file, `${text}\n`)
    return file
  }
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tally-energy-'))
    data = path.join(folder, 'data')
    const ingested = await tally('ingest', await write('calls.ndjson', calls()), '--data', data)
    assert.equal(ingested.code, 0, ingested.err)
  })
  after(() => rm(folder, { recursive: true }))

  test('meter splits a scrape among its calls, once, whatever is given again', async () => {
    const file = await write('scrapes.prom', scrapes())
    const first = await tally('energy', 'meter', file, '--data', data, '--json')
    assert.equal(first.code, 0, first.err)
    const told = JSON.parse(first.out) as Record<string, unknown>
    assert.deepEqual(
      [told['readings'], told['days'], told['corrections'], told['hosts_without_calls']],
      [SECONDS + 1, 1, 0, []]
    )
    assert.ok(Number(told['rows']) > 24)
    const again = await tally('energy', 'meter', file, '--data', data)
    assert.equal(again.out, '0 readings taken in, 0 days split, 0 rows, 0 of them corrections\n')
    const sum = await tally(
      'sql',
      `SELECT line, sum(microjoules)::DOUBLE AS uj FROM energy_measured GROUP BY 1 ORDER BY 1`,
      '--data',
      data,
      '--json'
    )
    const rows = sum.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { line: string; uj: number })
    const of = (line: string): number => rows.find((row) => row.line === line)?.uj ?? 0
    const parts = ['active', 'idle_serving', 'idle_unallocated', 'unattributed'].map(of)
    assert.equal(
      parts.reduce((a, b) => a + b, 0),
      of('meter')
    )
    // 599 seconds of 60 W and 60 of them at 300 W; the second of the reset is a gap, never negative.
    assert.ok(Math.abs(of('meter') / 1e6 - (599 * 60 + 60 * 240)) < 1, String(of('meter')))
  })

  test('report tells joules measured and estimated by tenant and by task', async () => {
    const { code, out, err } = await tally('energy', 'report', '--data', data, '--json')
    assert.equal(code, 0, err)
    const report = JSON.parse(out) as { groups: Record<string, unknown>[] }
    assert.deepEqual(
      report.groups.map((group) => String(group['key'])).toSorted((a, b) => (a < b ? -1 : 1)),
      ['acme', 'beta']
    )
    const text = await tally('energy', 'report', '--data', data, '--by', 'task')
    assert.equal(text.code, 0, text.err)
    for (const task of ['task-0', 'task-1', 'task-2', 'task-3'])
      assert.match(text.out, RegExp(task))
    assert.match(text.out, /^measured on host +meter J +active +idle serving +idle +unattributed$/m)
    const [, ...joules] = /^node-1 (.*)$/m.exec(text.out)?.[1]?.trim().split(/ +/) ?? []
    assert.equal(joules.length, 4, text.out)
    assert.doesNotMatch(text.out, /[{"]/, 'text is for people')
  })

  test('report says whose figures its grams rest on, and that a table of other hours was not used', async () => {
    const rows = (time: string): string =>
      `zone,ts,g_per_kwh,basis\nFRA,${time},20,location\nFRA,${time},3,market`
    const day = await write('day.csv', rows('2026-03-02T09:00:00Z'))
    const args = ['energy', 'report', '--data', data, '--intensity']
    const used = await tally(...args, day, '--zone', 'FRA')
    assert.match(used.out, /^carbon at the site +site J +g CO2e$/m)
    assert.match(used.out, /^location, hourly +\S+ +\S+$/m)
    assert.match(used.out, /^market, hourly +\S+ +\S+$/m)
    assert.equal(used.err, '')
    const other = await write('other.csv', rows('2026-04-02T09:00:00Z'))
    const unused = await tally(...args, other)
    assert.match(unused.out, /^location, annual, world mean: the place is not known +\S+ +\S+$/m)
    assert.match(unused.err, /no hour of .*other.csv was used: it has FRA, calls were in WOR/)
  })

  test('what is wrong is refused by name, with what to do', async () => {
    const file = await write('no-meter.prom', 'up 1 1700000000000')
    const untimed = await write('untimed.prom', 'DCGM_FI_DEV_POWER_USAGE{gpu="0",Hostname="a"} 70')
    const cases: [string[], RegExp, number][] = [
      [['meter'], /needs --data/, 2],
      [['report'], /needs --data/, 2],
      [['meter', '/nowhere/x', '--data', data], /can not be read/, 2],
      [['meter', file, '--data', data], /no series in the file is a GPU's meter/, 1],
      [['meter', untimed, '--data', data], /--at TIME/, 1],
      [['meter', untimed, '--at', 'noon', '--data', data], /--at noon/, 2],
      [['meter', file, '--idle-watts', '-3', '--data', data], /--idle-watts -3/, 2],
      [['meter', file, '--idle-watts', '60000', '--data', data], /--idle-watts 60000/, 2],
      [['report', '--from', '2026-03-01T10:00:00', '--data', data], /--from 2026/, 2],
      [['report', '--from', '2026-02-30', '--data', data], /--from 2026-02-30/, 2],
      [['report', '--zone', 'DE', '--data', data], /grid zone "DE"/, 2],
      [['report', '--by', 'moon', '--data', data], /--by moon/, 2],
      [['report', '--pass-score', 'high', '--data', data], /--pass-score/, 2],
      [['report', '--limit', 'few', '--data', data], /--limit/, 2],
      [['report', '--intensity', '/nowhere/x', '--data', data], /nowhere/, 2],
      [['report', '--data', path.join(folder, 'elsewhere')], /lake/, 1]
    ]
    for (const [args, expected, code] of cases) {
      const seen = await tally('energy', ...args)
      assert.match(seen.err, expected, args.join(' '))
      assert.equal(seen.code, code, `${args.join(' ')}: ${seen.err}`)
    }
  })

  test('help names every action and option', async () => {
    const { code, out } = await tally('energy', '--help')
    assert.equal(code, 0)
    for (const word of ['estimate', 'claims', 'meter', 'report', '--idle-watts', '--intensity']) {
      assert.match(out, RegExp(word))
    }
  })
})
