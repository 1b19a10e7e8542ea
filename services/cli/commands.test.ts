import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { LOG_AGE_MS_MAX } from '../../jobs/retain/trim-log.ts'
import { detectStep } from '../../jobs/detect/detect.ts'
import { EVENTS_TOPIC } from '../../schemas/topics.ts'
import { eventRecord } from '../collect/event-record.ts'
import { PARTITIONS } from '../collect/start.ts'
import { EmbeddedLog } from '../stream/embedded/log.ts'
import type { CliCommand } from './command.ts'
import { recordedEvents } from './demo/sessions.ts'
import { runCli } from './shell.ts'
import { eventPartitions, openLakeSite, openLog } from './site.ts'
import { trimEmbeddedLog } from './trim-embedded-log.ts'
import { readSummary } from './verb-summaries.ts'

const START_MS = Date.parse('2026-03-02T09:00:00Z')
const folderOfVerbs = new URL('./commands/', import.meta.url)

type Output = { code: number; out: string; err: string }

const tally = async (...args: string[]): Promise<Output> => {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const code = await runCli(args, { stdin, stdout, stderr, now: () => new Date(), env: {} })
  const text = (stream: PassThrough): string => String(stream.read() ?? '')
  return { code, out: text(stdout), err: text(stderr) }
}

const json = ({ out, err }: Output): Record<string, unknown> => {
  assert.notEqual(out, '', err)
  return JSON.parse(out) as Record<string, unknown>
}

describe('the list of verbs', () => {
  test('says of each what its module says, without running it', async () => {
    const files = (await readdir(folderOfVerbs)).filter((name) => /^[a-z-]+\.[jt]s$/.test(name))
    assert.ok(files.length >= 10)
    for (const file of files) {
      const url = new URL(file, folderOfVerbs)
      const module = (await import(url.href)) as { default: CliCommand }
      assert.equal(await readSummary(url), module.default.summary, file)
    }
  })

  test('comes with examples; a verb that is not there is a wrong usage', async () => {
    const help = await tally('--help')
    assert.equal(help.code, 0)
    assert.match(help.out, /Examples:\n {2}tally demo/)
    assert.match((await tally('help', 'sql')).out, /Usage: tally sql/)
    const unknown = await tally('settel')
    assert.equal(unknown.code, 2)
    assert.match(unknown.err, /Did you mean settle/)
    assert.equal((await tally('up', '--data', 'x', '--port', '70000')).code, 2)
  })
})

describe('a file that is taken in', () => {
  let folder = ''
  let data = ''
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tally-commands-'))
    data = path.join(folder, 'data')
    const events = await recordedEvents('shifted', START_MS)
    const lines = events.map((event) => JSON.stringify(event)).join('\n')
    await writeFile(path.join(folder, 'shifted.ndjson'), lines)
  })
  after(() => rm(folder, { recursive: true }))

  const file = (): string => path.join(folder, 'shifted.ndjson')
  const check = async (name: string, ...args: string[]) => {
    const { checks } = json(await tally('doctor', '--data', data, '--json', ...args))
    const found = (checks as { name: string; ok: boolean | null; seen: string }[]).find(
      (one) => one.name === name
    )
    assert.ok(found, name)
    return found
  }

  test('waits in the log with --no-land, and doctor says that there is no lake yet', async () => {
    const taken = json(await tally('ingest', file(), '--data', data, '--no-land', '--json'))
    assert.equal(taken['events'], 2539)
    assert.equal('landed' in taken, false)
    const lake = await check('lake')
    assert.equal(lake.ok, false)
    assert.match(lake.seen, /holds no lake/)
    assert.equal((await check('landing')).ok, null)
  })

  test('is landed, settled and searched for findings by the next ingest', async () => {
    const landed = json(await tally('ingest', file(), '--data', data, '--json'))
    assert.equal(landed['events'], 0, 'the lines were known')
    assert.equal((landed['landed'] as { events: number }).events, 2539)
    assert.equal(landed['landed_by'], 'ingest')
    assert.equal(landed['settled_hours'], 2)
    const findings = landed['findings'] as { signal: string; tenant: string | null }[]
    assert.ok(findings.some(({ tenant }) => tenant === 'tenant-a'))
    const again = json(await tally('ingest', file(), '--data', data, '--json'))
    assert.deepEqual([again['landed_by'], again['findings']], [null, []])
  })

  test('findings exits with 3 where asked, and with 0 where there are none', async () => {
    const open = await tally('findings', '--open', '--data', data, '--fail-on-findings', '--json')
    assert.equal(open.code, 3)
    assert.ok(open.out.split('\n').some((line) => line.includes('"tenant":"tenant-a"')))
    const none = ['findings', '--data', data, '--tenant', 'nobody', '--fail-on-findings']
    assert.equal((await tally(...none)).code, 0)
  })

  test('retain leaves what is needed', async () => {
    const retained = json(await tally('retain', '--data', data, '--json'))
    assert.deepEqual(retained, {
      merged_files: 0,
      data_files: 0,
      log_files: 0,
      unfinished_files: 0
    })
    assert.equal((await tally('scrub', '--data', data)).code, 0)
  })

  test('retain lets landed records leave the log when they are old, and no others', async () => {
    const log = new EmbeddedLog(path.join(data, 'log'))
    const site = await openLakeSite({ data })
    const held = async (): Promise<number> =>
      (await eventPartitions(log)).reduce((sum, { start, end }) => sum + end - start, 0)
    const laterMs = Date.now() + LOG_AGE_MS_MAX
    await trimEmbeddedLog(log, site.lake, laterMs - 3_600_000)
    assert.equal(await held(), 2539)
    const events = await recordedEvents('control', START_MS)
    await log.append(EVENTS_TOPIC, events.slice(0, 40).map(eventRecord))
    await trimEmbeddedLog(log, site.lake, laterMs + 3_600_000)
    assert.ok((await held()) >= 40)
    assert.ok((await held()) < 2539)
    site.close()
    await log.close()
    const { landed } = json(await tally('ingest', file(), '--data', data, '--json'))
    const { events: rows, gaps } = landed as { events: number; gaps: number }
    assert.deepEqual([rows, gaps], [40, 0])
  })

  test('doctor finds a healthy installation healthy', async () => {
    const { code, out } = await tally('doctor', '--data', data)
    assert.equal(code, 0, out)
    assert.match(out, /✓ continuity/)
    assert.doesNotMatch(out, /✗|–/)
  })

  test('doctor names a configuration of alerts that is wrong', async () => {
    const config = path.join(folder, 'alerts.yaml')
    await writeFile(config, 'channels: [{ name: a, kind: pigeon }]')
    const { ok, seen } = await check('alert config', '--alert-config', config)
    assert.equal(ok, false)
    assert.match(seen, /pigeon/)
    const up = await tally('up', '--data', data, '--port', '0', '--alert-config', config)
    assert.equal(up.code, 2)
  })

  test('doctor names a topic that was made anew, and does not step over it', async () => {
    const log = new EmbeddedLog(path.join(data, 'log'))
    await log.deleteTopic(EVENTS_TOPIC)
    await log.ensureTopic(EVENTS_TOPIC, PARTITIONS)
    await log.close()
    for (let look = 0; look < 2; look++) {
      const { ok, seen } = await check('continuity')
      assert.equal(ok, false)
      assert.match(seen, /recreation/)
    }
  })
})

test('detection asks how far the log has come only after it has seen the lake', async (t) => {
  const data = await mkdtemp(path.join(tmpdir(), 'tally-order-'))
  t.after(() => rm(data, { recursive: true }))
  const site = await openLakeSite({ data }, true)
  const log = openLog({ data })
  await log.ensureTopic(EVENTS_TOPIC, 1)
  const asked: string[] = []
  const lake = {
    ...site.lake,
    head: () => {
      asked.push('lake')
      return site.lake.head()
    }
  }
  const partitions = () => {
    asked.push('log')
    return eventPartitions(log)
  }
  const options = { signals: [], generation: site.generation }
  await detectStep({ ...site, lake }, options, { partitions, nowMs: START_MS })
  assert.deepEqual(asked.slice(0, 2), ['lake', 'log'])
  site.close()
  await log.close()
})
