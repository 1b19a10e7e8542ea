import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pino } from 'pino'
import { stringify } from 'yaml'
import { Failure } from '../../../schemas/failure.ts'
import type { EventLog } from '../../stream/log.ts'
import { createKey } from '../keys/key.ts'
import { parseKeyFile } from '../keys/key-ring.ts'
import { startCollector } from '../start.ts'

const NOW = new Date('2026-11-24T12:00:00Z')

/** What must be in no line of any log, wherever it was sent. */
const PLANTED = {
  wrongToken: `tally_0123456789ab_${'planted-in-a-token'.padEnd(43, 'x')}`,
  password: 'planted-in-basic-authorization',
  cookie: 'planted-in-a-cookie',
  query: 'planted-in-a-query',
  prompt: 'planted-in-a-prompt'
}

/** A log that fails in every way that it can: orderly, and as a defect that quotes what it was given. */
const failingLog = (): EventLog => {
  let appends = 0
  const append = async (_topic: string, records: readonly unknown[]): Promise<void> => {
    appends++
    if (appends % 2 === 0) throw new TypeError(`can not write ${records.length} records`)
    throw new Failure('E_LOG_UNAVAILABLE', 'no broker answers', { retriable: true })
  }
  return {
    ensureTopic: async () => undefined,
    append,
    partitions: async () => []
  } as unknown as EventLog
}

test('no key, password, cookie, query or prompt is in any line of the log, however requests fail', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'secrets-'))
  t.after(() => rm(folder, { recursive: true }))
  const { token, entry } = createKey({ scopes: ['ingest'], tenant: null, name: null, now: NOW })
  const keyFile = join(folder, 'keys.yaml')
  await writeFile(keyFile, stringify({ keys: [entry] }))
  const lines: string[] = []
  const logger = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) })
  const collector = await startCollector({
    log: failingLog(),
    host: '127.0.0.1',
    port: 0,
    keyFile,
    logger,
    now: () => NOW
  })
  t.after(() => collector.close())

  const statuses = new Set<number>()
  const send = async (authorization: string, body: string, path = '/v1/events'): Promise<void> => {
    const response = await fetch(`${collector.url}${path}?key=${PLANTED.query}`, {
      method: 'POST',
      headers: { authorization, cookie: PLANTED.cookie, 'content-type': 'application/json' },
      body
    })
    statuses.add(response.status)
    await response.text()
  }
  const event = { id: 'a', time: '2026-11-24T10:00:00Z', tenant: 'acme', kind: 'llm' }
  const said = { messages: [{ role: 'user', content: PLANTED.prompt }] }
  const bodies = [event, event, { ...event, prompt: PLANTED.prompt }, said].map((one) =>
    JSON.stringify(one)
  )
  const basic = Buffer.from(`user:${PLANTED.password}`).toString('base64')
  for (const key of [`Bearer ${token}`, `Bearer ${PLANTED.wrongToken}`, `Basic ${basic}`]) {
    for (const body of [...bodies, `{"prompt": "${PLANTED.prompt}`]) await send(key, body)
    await send(key, bodies[0]!, '/v1/nothing')
  }

  // The test says something only where requests failed in all of these ways, and a line was written.
  for (const status of [400, 401, 404, 422, 500, 503])
    assert.ok(statuses.has(status), String(status))
  assert.ok(lines.length > 0)
  const text = lines.join('')
  const secret = token.slice(token.indexOf('_', 'tally_'.length) + 1)
  for (const planted of [secret, basic, entry.hash, ...Object.values(PLANTED)]) {
    assert.ok(!text.includes(planted), `${planted} is in the log`)
  }
})

test('a key file that can not be read is told without what stands in it', () => {
  for (const text of [`keys: [${PLANTED.wrongToken}`, `keys:\n  - hash: ${PLANTED.wrongToken}\n`]) {
    assert.throws(
      () => parseKeyFile(text, 'keys.yaml'),
      (error: Error) =>
        !`${error.message} ${String((error as Failure).hint)}`.includes(PLANTED.wrongToken)
    )
  }
})
