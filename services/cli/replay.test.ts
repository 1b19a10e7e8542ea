import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pino from 'pino'
import { UsageEvent } from '../../schemas/event.ts'
import { CONSUMER_GROUP, EVENTS_TOPIC } from '../../schemas/topics.ts'
import { eventRecord } from '../collect/event-record.ts'
import { Consumer, CONSUMER_DEFAULTS, type ConsumerSettings } from '../consume/consumer.ts'
import { startLanding } from '../consume/landing-thread.ts'
import { EmbeddedLog } from '../stream/embedded/log.ts'
import type { OutRecord } from '../stream/log.ts'
import { lakeFolder, openLakeSite } from './site.ts'
import { runCli } from './shell.ts'

const START_MS = Date.parse('2026-03-01T10:00:00Z')
const TABLES = ['events_raw', 'windows_raw', 'prefixes_raw', 'quarantine'] as const
const PARTITIONS = 3
/** Every so many events there is a record that can not be read. */
const JUNK_EVERY = 97

const recordAt = (index: number): OutRecord => {
  if (index % JUNK_EVERY === 0) return { key: `junk-${index}`, value: Buffer.from(`junk ${index}`) }
  return eventRecord(
    UsageEvent.parse({
      id: `event-${index}`,
      time: new Date(START_MS + index * 700).toISOString(),
      tenant: `tenant-${index % 5}`,
      kind: 'llm',
      provider: 'openai',
      response_model: index % 2 === 0 ? 'gpt-4o-2024-08-06' : 'gpt-4o-mini',
      route: `route-${index % 11}`,
      user: `ünser-${index % 301}`,
      duration_ms: index % 977,
      tokens: { in_uncached: index % 1013, in_cache_read: 50, out_text: 10 },
      prefix: { blocks: [`a${index % 7}`, `b${index % 50}`], block_tokens: 64 }
    })
  )
}

const records = (from: number, count: number): OutRecord[] =>
  Array.from({ length: count }, (_, index) => recordAt(from + index))

type Stage = { data: string; log: EmbeddedLog }

/** Runs a consumer while `work` appends. */
const consuming = async (
  { data, log }: Stage,
  settings: Partial<ConsumerSettings>,
  work: (consumer: Consumer) => Promise<void>
): Promise<void> => {
  const landing = startLanding({ dir: lakeFolder({ data }), crashAt: null })
  const consumer = new Consumer(
    { topic: EVENTS_TOPIC, group: CONSUMER_GROUP, ...CONSUMER_DEFAULTS, ...settings },
    { log, landing, logger: pino({ level: 'silent' }), nowMs: Date.now }
  )
  const running = consumer.run()
  await Promise.race([work(consumer), running])
  consumer.stop()
  await running
  await landing.close()
  await landing.terminate()
}

const untilLanded = async ({ log }: Stage, consumer: Consumer): Promise<void> => {
  const ends = await log.partitions(EVENTS_TOPIC)
  while (!ends.every(({ partition, end }) => (consumer.landed()?.get(partition) ?? 0) >= end)) {
    await sleep(5)
  }
}

/** A log that was landed by rows, by age and at cuts, in two runs with other settings. */
const landedStage = async (t: TestContext): Promise<Stage> => {
  const data = await mkdtemp(path.join(tmpdir(), 'tally-replay-'))
  const log = new EmbeddedLog(path.join(data, 'log'))
  const stage = { data, log }
  t.after(async () => {
    await log.close()
    await rm(data, { recursive: true })
  })
  await log.ensureTopic(EVENTS_TOPIC, PARTITIONS)
  await log.append(EVENTS_TOPIC, records(0, 2000))
  const byRows = { flushRowsMax: 400, flushMsMax: 3_600_000, cutOffsets: 300 }
  await consuming(stage, byRows, (consumer) => consumer.caughtUp())
  await consuming(stage, { flushMsMax: 5 }, async (consumer) => {
    for (let piece = 0; piece < 6; piece++) {
      await log.append(EVENTS_TOPIC, records(2000 + piece * 100, 100))
      await untilLanded(stage, consumer)
    }
  })
  return stage
}

type File = { table: string; version: number; path: string; sha256: string }

/** The live raw files of a lake with the hash of what lies on the disk, in order of version. */
const filesOf = async (data: string): Promise<File[]> => {
  const site = await openLakeSite({ data })
  const head = await site.lake.head()
  const files = TABLES.flatMap((table) => [...(head.files.get(table)?.values() ?? [])])
  const hashed = await Promise.all(
    files.map(async ({ table, version, path: file }) => {
      const full = path.join(lakeFolder({ data }), table, file)
      const sha256 = createHash('sha256')
        .update(await readFile(full))
        .digest('hex')
      return { table, version, path: full, sha256 }
    })
  )
  site.close()
  return hashed.sort((a, b) => a.version - b.version || a.table.localeCompare(b.table))
}

const tally = async (...args: string[]): Promise<{ code: number; out: string; err: string }> => {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const stdin = new PassThrough()
  const code = await runCli(args, { stdin, stdout, stderr, now: () => new Date(), env: {} })
  const text = (stream: PassThrough): string => String(stream.read() ?? '')
  return { code, out: text(stdout), err: text(stderr) }
}

describe('tally replay', () => {
  test('lands a log again as the same bytes, with the cuts of the first landing', async (t) => {
    const { data, log } = await landedStage(t)
    const anew = path.join(data, 'anew')
    const result = await tally('replay', '--from', data, '--data', anew, '--json')
    assert.equal(result.code, 0, result.err + result.out)

    const before = await filesOf(data)
    const after = await filesOf(anew)
    const shown = ({ table, sha256 }: File): string => `${table} ${sha256}`
    assert.deepEqual(after.map(shown), before.map(shown))
    const flushes = before.filter(({ table }) => table === 'events_raw').length
    assert.ok(flushes >= 8, `${flushes} flushes are too few to show anything`)
    const quarantined = before.filter(({ table }) => table === 'quarantine').length
    assert.ok(quarantined >= 5, `${quarantined} files of quarantined records`)
    const report = JSON.parse(result.out) as Record<string, unknown>
    assert.equal(report['identical_files'], before.length)
    assert.deepEqual(report['differences'], [])

    await t.test('refuses a lake that holds rows', async () => {
      const again = await tally('replay', '--from', data, '--data', anew)
      assert.equal(again.code, 2)
      assert.match(again.err, /E_USAGE/)
    })

    await t.test('scrub says which ranges to read again after a file was damaged', async () => {
      assert.equal((await tally('scrub', '--data', anew)).code, 0)
      const victim = after.find(({ table }) => table === 'events_raw')
      const bytes = await readFile(victim!.path)
      bytes[bytes.length >> 1]! ^= 1
      await writeFile(victim!.path, bytes)
      const scrubbed = await tally('scrub', '--data', anew, '--json')
      assert.equal(scrubbed.code, 1)
      const { damages } = JSON.parse(scrubbed.out) as { damages: Record<string, unknown>[] }
      assert.deepEqual(
        damages.map(({ table, problem, kind }) => [table, problem, kind]),
        [['events_raw', 'content', 'flush']]
      )
      assert.notDeepEqual(damages[0]?.['ranges'], [])
    })

    await t.test('says so when the log no longer holds what was landed', async () => {
      await log.deleteBefore(EVENTS_TOPIC, 1, 100)
      const late = await tally('replay', '--from', data, '--data', path.join(data, 'late'))
      assert.equal(late.code, 1)
      assert.match(late.err, /E_LOG_GAP/)
    })
  })
})
