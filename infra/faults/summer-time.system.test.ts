import assert from 'node:assert/strict'
import { cp, readFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, mock, test, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { scheduleJobs } from '../../jobs/schedule.ts'
import type { UsageEvent } from '../../schemas/event.ts'
import { EVENTS_TOPIC } from '../../schemas/topics.ts'
import { eventRecord } from '../../services/collect/event-record.ts'
import { runCommand } from '../suite/command.ts'
import { runStageProcess } from './child.ts'
import { consumeAll, createStand, faultFolder, LATER_MS, openScratchLog } from './stand.ts'

/** Clocks in Berlin skip 02:00 to 03:00 on 29 March 2026, and go through it twice on 25 October. */
const ZONE = 'Europe/Berlin'
const root = new URL('../../', import.meta.url)

/** Times that have another date, or another month, there; or that lie beside the change. */
const CALLS: Readonly<Record<string, readonly string[]>> = {
  '2026-03': [
    '2026-02-28T23:30:00Z',
    '2026-03-01T00:10:00Z',
    '2026-03-28T23:30:00Z',
    '2026-03-29T00:59:59Z',
    '2026-03-29T01:00:00Z',
    '2026-03-29T22:30:00Z',
    '2026-03-31T22:30:00Z'
  ],
  '2026-10': [
    '2026-09-30T22:30:00Z',
    '2026-10-24T22:30:00Z',
    '2026-10-25T00:30:00Z',
    '2026-10-25T01:30:00Z',
    '2026-10-25T23:30:00Z',
    '2026-10-31T23:30:00Z'
  ]
}

const callAt = (time: string): UsageEvent => ({
  id: `call-${time}`,
  source: 'summer-time',
  time,
  tenant: 'acme',
  kind: 'llm',
  provider: 'openai',
  response_model: 'gpt-4o-2024-08-06',
  tokens: { in_uncached: 411_333, out_text: 1_234 }
})

/** A folder of data in which some calls are landed. @returns copies of it. */
const landed = async (t: TestContext, times: readonly string[]) => {
  const data = await faultFolder(t)
  const log = await openScratchLog(t, data, EVENTS_TOPIC, 1)
  await log.append(
    EVENTS_TOPIC,
    times.map((time) => eventRecord(callAt(time)))
  )
  await consumeAll(await createStand(t, { log, topic: EVENTS_TOPIC, data }))
  return async (): Promise<string> => {
    const copy = path.join(await faultFolder(t), 'data')
    await cp(data, copy, { recursive: true })
    return copy
  }
}

/** Settles and closes in processes of a zone. @returns the manifest. */
const closeIn = async (zone: string, data: string, month: string): Promise<string> => {
  const env = { PATH: process.env['PATH'] ?? '', TZ: zone }
  const settled = await runStageProcess({
    ...env,
    STAGE: 'settle',
    DATA: data,
    NOW_MS: String(LATER_MS)
  })
  assert.equal(settled.code, 0, settled.output)
  const out = path.join(data, 'closed')
  const main = ['--import', 'tsx', 'services/cli/main.ts', 'close', month]
  const args = [...main, '--data', data, '--out', out]
  const { code, output } = await runCommand({ root, env }, process.execPath, args)
  assert.equal(code, 0, output)
  return readFile(path.join(out, month, 'manifest.json'), 'utf8')
}

describe('a change of summer time', () => {
  for (const [month, times] of Object.entries(CALLS)) {
    test(`within ${month} changes no byte of its manifest`, async (t) => {
      const copy = await landed(t, times)
      const expected = await closeIn('UTC', await copy(), month)
      assert.match(expected, /"bill_usd": "[1-9]/)
      assert.equal(await closeIn(ZONE, await copy(), month), expected)
      t.diagnostic(`seen: ${month} with the same manifest in ${ZONE} as in UTC`)
    })
  }

  test('makes no job run twice, and leaves none out', async (t) => {
    const { TZ } = process.env
    process.env['TZ'] = ZONE
    t.after(() => {
      if (TZ === undefined) delete process.env['TZ']
      else process.env['TZ'] = TZ
    })
    for (const day of ['2026-03-29', '2026-10-25']) {
      const pokes = await pokesOf(day)
      assert.deepEqual(pokes, expectedPokes(day))
      t.diagnostic(`seen: ${pokes.length} pokes on ${day}, each at its time`)
    }
  })
})

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** Jobs of every hour, and of a time of day that the zone skips. */
const CRONS = { hourly: '0 20 * * * *', daily: '0 30 2 * * *' }

/** Pokes of one day of UTC, by a clock that goes a minute at a time. */
const pokesOf = async (day: string): Promise<string[]> => {
  const fromMs = Date.parse(`${day}T00:00:00Z`)
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: fromMs })
  const pokes: string[] = []
  const jobs = Object.entries(CRONS).map(([name, cron]) => ({
    name,
    cron,
    run: async () => void pokes.push(`${name} ${new Date(Date.now()).toISOString()}`)
  }))
  const scheduled = scheduleJobs(jobs, (_, error) => assert.ifError(error))
  try {
    for (let minute = 1; minute < DAY_MS / MINUTE_MS; minute++) {
      mock.timers.tick(MINUTE_MS)
      await turn()
    }
  } finally {
    await scheduled.stop()
    mock.timers.reset()
  }
  return pokes.sort()
}

const expectedPokes = (day: string): string[] => {
  const fromMs = Date.parse(`${day}T00:20:00Z`)
  const hours = Array.from({ length: 24 }, (_, hour) =>
    new Date(fromMs + hour * HOUR_MS).toISOString()
  )
  return [`daily ${day}T02:30:00.000Z`, ...hours.map((time) => `hourly ${time}`)]
}
