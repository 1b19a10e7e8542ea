import assert from 'node:assert/strict'
import { Readable, Writable } from 'node:stream'
import { test } from 'node:test'
import { runCli } from '../shell.ts'

const run = async (argv: string[], input: string) => {
  const written = { stdout: '', stderr: '' }
  const into = (name: 'stdout' | 'stderr') =>
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        written[name] += chunk.toString()
        done()
      }
    })
  const code = await runCli(argv, {
    stdin: Readable.from([input]),
    stdout: into('stdout'),
    stderr: into('stderr'),
    now: () => new Date(0),
    env: {}
  })
  return { code, ...written }
}

test('energy estimate answers line by line in order, and a bad line by its error', async () => {
  const lines = [
    {
      model: 'Qwen/Qwen3-8B',
      p_total_b: 8.2,
      p_active_b: 8.2,
      gpu: 'H100',
      n_gpus: 1,
      precision: 'bfloat16',
      concurrency: 64,
      in_uncached: 250,
      out: 600,
      oops: 1
    },
    { out: 'many' },
    { model: 'gpt-4o', in_uncached: 10, out: 10 }
  ]
  const input = `${lines.map((line) => JSON.stringify(line)).join('\n')}\nno json\n`
  const { code, stdout, stderr } = await run(['energy', 'estimate', '--ndjson'], input)
  const answers = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  assert.equal(code, 1)
  assert.deepEqual(
    answers.map(({ tier }) => tier),
    ['E1', undefined, 'E4', undefined]
  )
  assert.ok(answers[1]?.['error'] !== undefined && answers[3]?.['error'] !== undefined)
  assert.match(stderr, /line 2/)
  assert.match(stderr, /ignored: oops/)
})

test('energy claims come from data: tier about 30, batch about 4, hits up to 10, thrash 1.85', async () => {
  const { code, stdout } = await run(['energy', 'claims', '--json'], '')
  assert.equal(code, 0)
  const claims = JSON.parse(stdout) as {
    checks: { expected: number; seen: number; holds: boolean }[]
    modelTier: { perTokenRatio: number }[]
    batch: { from: number; to: number; ratioMedian: number }[]
    cacheHit: { ratioByCachedShare: Record<string, number> }[]
    cacheThrash: { byCachedShare: Record<string, { ratio: number }> }
  }
  assert.deepEqual(
    claims.checks.map(({ expected, holds }) => [expected, holds]),
    [
      [30, true],
      [4, true],
      [10, true],
      [1.85, true]
    ]
  )
  const text = await run(['energy', 'claims'], '')
  assert.match(text.stdout, /^✓ ×30 expected, ×28\.\d+ seen/)
  assert.ok(claims.modelTier.some(({ perTokenRatio }) => perTokenRatio > 26 && perTokenRatio < 35))
  const batch = claims.batch.find(({ from, to }) => from === 8 && to === 64)
  assert.ok(batch !== undefined && batch.ratioMedian > 3 && batch.ratioMedian < 5)
  const hits = claims.cacheHit.map(({ ratioByCachedShare }) => ratioByCachedShare['0.05'] ?? 0)
  assert.ok(Math.max(...hits) > 8 && Math.max(...hits) < 12)
  assert.ok(Math.min(...hits) < 1.5)
  assert.ok(Math.abs((claims.cacheThrash.byCachedShare['0.05']?.ratio ?? 0) - 1.85) < 0.05)
})

test('an unknown action is a usage error', async () => {
  assert.equal((await run(['energy', 'burn'], '')).code, 2)
})
