import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { Failure } from '../../../schemas/failure.ts'
import type { MeterFile } from '../../../jobs/energy/meter.ts'
import { meterAddresses, meterReader } from './meter-reader.ts'

const NOW_MS = Date.parse('2026-03-01T10:00:00Z')

/** An exporter that answers as it is told: joules of one GPU, or nothing. */
const exporter = async (t: TestContext, joules: () => number | null): Promise<string> => {
  const server = createServer((_request, response) => {
    const value = joules()
    if (value === null) response.writeHead(503).end()
    else response.end(`DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{gpu="0"} ${value * 1000}\n`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`
}

const taken = async (reader: ReturnType<typeof meterReader>): Promise<MeterFile[]> =>
  reader.handOver((files) => Promise.resolve([...files]))

test('what one exporter answers is kept while another is down, and read once', async (t) => {
  let timeMs = NOW_MS
  const up = await exporter(t, () => 7)
  const down = await exporter(t, () => null)
  const reader = meterReader([up, down], () => timeMs)
  for (let scrape = 0; scrape < 2; scrape += 1) {
    await assert.rejects(reader.scrape(), (error: unknown) => {
      assert.ok(error instanceof Failure && error.retriable)
      return error.message.includes(down) && !error.message.includes(up)
    })
    timeMs += 10_000
  }
  const files = await taken(reader)
  assert.deepEqual(
    files.map(({ readings }) => readings.map((reading) => [reading.host, reading.timeMs])),
    [[['127.0.0.1', NOW_MS]], [['127.0.0.1', NOW_MS + 10_000]]]
  )
  assert.deepEqual(await taken(reader), [])
})

test('what the lake does not take waits for the next time, before what came since', async (t) => {
  let timeMs = NOW_MS
  const reader = meterReader([await exporter(t, () => 7)], () => timeMs)
  await reader.scrape()
  const refused = new Failure('E_FACTOR_TABLE', 'the unit can not be told')
  const work = async (): Promise<never> => {
    timeMs += 10_000
    await reader.scrape()
    throw refused
  }
  await assert.rejects(reader.handOver(work), (error: unknown) => {
    assert.ok(error instanceof Failure && error.retriable, 'a meter must not end what takes events')
    return true
  })
  const times = (await taken(reader)).map(({ readings }) => readings[0]?.timeMs)
  assert.deepEqual(times, [NOW_MS, NOW_MS + 10_000])
})

test('addresses of exporters are read, and what is none is refused', () => {
  assert.deepEqual(meterAddresses('http://a:9400/metrics, https://b/m,'), [
    'http://a:9400/metrics',
    'https://b/m'
  ])
  assert.deepEqual(meterAddresses(null), [])
  for (const wrong of ['node-1', 'ftp://a/metrics', 'http://a, b']) {
    assert.throws(
      () => meterAddresses(wrong),
      (error: unknown) => error instanceof Failure && error.code === 'E_USAGE'
    )
  }
})
