import assert from 'node:assert/strict'
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { Failure } from '../../../schemas/failure.ts'
import { EVENTS_TOPIC } from '../../../schemas/topics.ts'
import { EmbeddedLog } from '../../stream/embedded/log.ts'
import type { EventLog, OutRecord } from '../../stream/log.ts'
import { takeIn } from '../intake.ts'
import { loadSource } from '../sources/load.ts'
import { ingestFile, type IngestOptions } from './ingest-file.ts'

const line = (id: string, more: object = {}): string =>
  JSON.stringify({ id, time: '2026-11-24T10:00:00Z', tenant: 'acme', kind: 'llm', ...more })

/** Keeps what was appended; can fail from a given append on, as a broker that goes away. */
const keepingLog = (failFrom = Infinity) => {
  const records: OutRecord[] = []
  let appends = 0
  const log = {
    append: async (_topic: string, added: readonly OutRecord[]) => {
      if (++appends > failFrom) throw new Failure('E_LOG_UNAVAILABLE', 'gone', { retriable: true })
      records.push(...added)
    }
  } as unknown as EventLog
  return { log, records }
}

describe('ingest of a file', () => {
  let folder = ''
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ingest-'))
  })
  after(() => rm(folder, { recursive: true }))

  const run = async (file: string, log: EventLog, more: Partial<IngestOptions> = {}) => {
    const faults: [number, string][] = []
    const options = {
      file: join(folder, file),
      source: await loadSource('native'),
      tenant: null,
      checkpoints: join(folder, 'checkpoints'),
      now: () => new Date('2026-11-24T12:00:00Z'),
      onFault: ({ code }: { code: string }, at: number) => void faults.push([at, code]),
      ...more
    }
    return { ...(await ingestFile(options, log)), faults }
  }

  test('takes good lines, and tells bad ones by line and code without stopping', async () => {
    const lines = [
      line('a'),
      '',
      '{broken',
      line('b', { tenant: '' }),
      line('c'),
      'null',
      line('d')
    ]
    await writeFile(join(folder, 'mixed.ndjson'), lines.join('\r\n'))
    const { log, records } = keepingLog()
    const counts = await run('mixed.ndjson', log)
    assert.deepEqual(counts.faults, [
      [3, 'E_BODY_UNREADABLE'],
      [4, 'E_EVENT_INVALID'],
      [6, 'E_EVENT_INVALID']
    ])
    assert.deepEqual([counts.events, counts.refused, counts.lines, records.length], [3, 3, 7, 3])
  })

  test('reads gzip by its content, whatever its name', async () => {
    await writeFile(join(folder, 'zipped'), gzipSync(`${line('a')}\n${line('b')}\n`))
    const { log } = keepingLog()
    assert.equal((await run('zipped', log)).events, 2)
  })

  test('says where a damaged file ends, after taking what came before', async () => {
    const lines = Array.from({ length: 5000 }, (_, index) =>
      line(`e${index}`, { name: `${index}` })
    )
    const whole = gzipSync(lines.join('\n'))
    await writeFile(join(folder, 'cut.gz'), whole.subarray(0, whole.length - 5000))
    const { log } = keepingLog()
    await assert.rejects(run('cut.gz', log), { code: 'E_BODY_UNREADABLE' })
  })

  test('goes on where all was durable, and at the end of a file that grew', async () => {
    const lines = Array.from({ length: 7000 }, (_, index) => line(`e${index}`))
    await writeFile(join(folder, 'long.ndjson'), `${lines.join('\n')}\n`)
    const broken = keepingLog(2)
    await assert.rejects(run('long.ndjson', broken.log), { code: 'E_LOG_UNAVAILABLE' })
    const second = keepingLog()
    const counts = await run('long.ndjson', second.log)
    assert.ok(counts.skippedLines > 0)
    const keys = new Set([...broken.records, ...second.records].map(({ key }) => key))
    assert.equal(keys.size, 7000)

    assert.equal((await run('long.ndjson', keepingLog().log)).events, 0)
    await appendFile(join(folder, 'long.ndjson'), `${line('new')}\n{"id":"half`)
    const grown = await run('long.ndjson', keepingLog().log)
    assert.deepEqual([grown.events, grown.refused], [1, 1])
    await appendFile(join(folder, 'long.ndjson'), line('x').replace('{"id":"x', ''))
    const repaired = await run('long.ndjson', keepingLog().log)
    assert.deepEqual([repaired.events, repaired.refused], [1, 0])
  })

  test('starts again when another file stands under the same name', async () => {
    await writeFile(join(folder, 'rotated.ndjson'), `${line('a')}\n${line('b')}\n`)
    assert.equal((await run('rotated.ndjson', keepingLog().log)).events, 2)
    await writeFile(join(folder, 'rotated.ndjson'), `${line('c')}\n${line('d')}\n${line('e')}\n`)
    assert.equal((await run('rotated.ndjson', keepingLog().log)).events, 3)
  })

  test('gives the same records whichever way the file is read', async () => {
    const text = [line('a'), line('b', { usage: { prompt_tokens: 5 } })].join('\n')
    await writeFile(join(folder, 'plain.ndjson'), text)
    const file = keepingLog()
    const pipe = keepingLog()
    await run('plain.ndjson', file.log)
    await run('-', pipe.log, { stream: Readable.from([Buffer.from(text)]) })
    assert.deepEqual(file.records, pipe.records)
    // The body of a request goes the same way.
    const source = await loadSource('native')
    const message = {
      bytes: Buffer.from(text),
      mediaType: 'application/x-ndjson',
      door: '/v1/events',
      headers: {},
      tenant: null
    }
    const rules = { nowMs: Date.parse('2026-11-24T12:00:00Z'), tenantOnly: null, itemsMax: 10 }
    assert.deepEqual(takeIn(source, message, rules).records, file.records)
  })

  test('skips a line that is too long, in bounded memory', async () => {
    const chunks = function* (): Generator<Buffer> {
      yield Buffer.from(`${line('a')}\n`)
      for (let index = 0; index < 20; index++) yield Buffer.alloc(1024 * 1024, 0x20)
      yield Buffer.from(`\n${line('b')}`)
    }
    const { log } = keepingLog()
    const counts = await run('-', log, { stream: Readable.from(chunks()) })
    assert.deepEqual(counts.faults, [[2, 'E_BODY_TOO_LARGE']])
    assert.equal(counts.events, 2)
  })

  test('takes a file that is one message whole, names its lines, and knows it again until it grows', async () => {
    const answer = (id: string): string =>
      JSON.stringify({
        type: 'assistant',
        timestamp: '2026-11-24T10:00:00Z',
        message: { id, model: 'claude-opus-4-7', usage: { input_tokens: 1, output_tokens: 1 } }
      })
    const more = { source: await loadSource('claude-code'), tenant: 'acme' }
    const file = join(folder, 'session.jsonl')
    await writeFile(file, `${answer('a')}\n${answer('b')}\n`)
    assert.equal((await run('session.jsonl', keepingLog().log, more)).events, 2)
    const again = await run('session.jsonl', keepingLog().log, more)
    assert.deepEqual([again.events, again.skippedLines], [0, 2])
    await appendFile(file, `${answer('c')}\n{"cut`)
    const grown = await run('session.jsonl', keepingLog().log, more)
    assert.deepEqual([grown.events, grown.faults], [3, [[4, 'E_BODY_UNREADABLE']]])
  })

  test('lands in the embedded log', async () => {
    await writeFile(join(folder, 'real.ndjson'), `${line('a')}\n${line('b')}\n`)
    const log = new EmbeddedLog(join(folder, 'log'))
    await log.ensureTopic(EVENTS_TOPIC, 2)
    await run('real.ndjson', log)
    const states = await log.partitions(EVENTS_TOPIC)
    assert.equal(
      states.reduce((sum, { end }) => sum + end, 0),
      2
    )
    await log.close()
  })

  test('says so when there is no such file', async () => {
    await assert.rejects(run('nowhere', keepingLog().log), { code: 'E_USAGE' })
  })
})
