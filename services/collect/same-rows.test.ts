import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { decodeRefused } from '../../schemas/refused.ts'
import { EVENTS_TOPIC } from '../../schemas/topics.ts'
import { EmbeddedLog } from '../stream/embedded/log.ts'
import type { EventLog, OutRecord } from '../stream/log.ts'
import { createCollectServer } from './http/server.ts'
import { ingestFile } from './ingest/ingest-file.ts'
import { PositionFiles } from './relay/position-file.ts'
import { relayToEnd } from './relay/relay.ts'
import { COLLECT_DEFAULTS } from './settings.ts'
import { bytesOf, CASE_NOW_MS, readCases, sourceFor, type Case } from './sources/cases.ts'
import { loadSources, type LoadedSource } from './sources/load.ts'

/** What a row is made of: the record's key and value. Refused records are the topic's own. */
type Rows = { key: string; value: string }[]

const rowsOf = (records: readonly OutRecord[]): Rows =>
  records
    .filter(({ value }) => decodeRefused(value ?? Buffer.alloc(0)) === null)
    .map(({ key, value }) => ({ key, value: Buffer.from(value ?? []).toString('base64') }))

/** A log that keeps what is appended to the events' topic and reads from another log. */
const keepingLog = (log: EventLog | null): { log: EventLog; records: OutRecord[] } => {
  const records: OutRecord[] = []
  const keeping = {
    append: async (topic: string, added: readonly OutRecord[]) => {
      assert.equal(topic, EVENTS_TOPIC)
      records.push(...added)
    },
    partitions: (topic: string) => log?.partitions(topic),
    read: (...args: Parameters<EventLog['read']>) => log?.read(...args)
  } as unknown as EventLog
  return { log: keeping, records }
}

const now = (): Date => new Date(CASE_NOW_MS)

/** HTTP can not do without a media type: one that says as much as none. */
const idleType = ({ base64 }: Case): string =>
  base64 == null ? 'application/json' : 'application/octet-stream'

const byHttp = async (source: LoadedSource, one: Case): Promise<Rows> => {
  const { log, records } = keepingLog(null)
  const settings = { ...COLLECT_DEFAULTS, tenantDefault: one.tenant ?? null }
  const { app } = await createCollectServer({ log, sources: [source], keys: null, settings, now })
  const answer = await app.inject({
    method: 'POST',
    url: `${one.door ?? `/v1/sources/${source.id}`}?partial=true`,
    headers: { ...one.headers, 'content-type': one.media_type ?? idleType(one) },
    payload: bytesOf(one)
  })
  assert.ok(answer.statusCode < 500, answer.body)
  await app.close()
  return rowsOf(records)
}

describe('one input gives the same rows', async () => {
  let folder = ''
  let topics: EmbeddedLog
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'same-rows-'))
    topics = new EmbeddedLog(join(folder, 'log'))
  })
  after(async () => {
    await topics.close()
    await rm(folder, { recursive: true })
  })

  const byFile = async (source: LoadedSource, one: Case, name: string): Promise<Rows> => {
    const { log, records } = keepingLog(null)
    const file = join(folder, name)
    await writeFile(file, bytesOf(one))
    const tenant = one.tenant ?? null
    await ingestFile(
      { file, source, tenant, checkpoints: null, now, onFault: () => undefined },
      log
    )
    return rowsOf(records)
  }

  const byTopic = async (source: LoadedSource, one: Case, topic: string): Promise<Rows> => {
    const { log, records } = keepingLog(topics)
    await topics.ensureTopic(topic, 1)
    const headers = {
      ...one.headers,
      ...(one.media_type == null ? {} : { 'content-type': one.media_type })
    }
    await topics.append(topic, [{ key: 'k', value: bytesOf(one), headers }])
    const positions = new PositionFiles(join(folder, 'positions'))
    const doors = { log, positions, now, onProgress: () => undefined }
    await relayToEnd({ topic, source, tenant: one.tenant ?? null }, doors)
    return rowsOf(records)
  }

  for (const known of await loadSources()) {
    for (const one of await readCases(known.id)) {
      test(`over HTTP, from a topic and from a file: ${known.id} ${one.file}`, async () => {
        const source = await sourceFor(known, one)
        const name = `${known.id}.${one.file}`
        const http = await byHttp(source, one)
        assert.ok(http.length > 0 || one.events.length === 0)
        assert.deepEqual(await byTopic(source, one, name), http)
        // A file has no headers and no media type, and lines are no place for protobuf.
        if (one.headers != null || one.media_type === 'application/x-protobuf') return
        if (one.base64 != null && source.framing === 'lines') return
        assert.deepEqual(await byFile(source, one, name), http)
      })
    }
  }
})
