import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import { ALERTS_TOPIC } from '../../../../schemas/topics.ts'
import { EmbeddedLog } from '../../../../services/stream/embedded/log.ts'
import { linkBook } from '../../links.ts'
import { sampleFinding } from '../../sample.ts'
import channel from './channel.ts'

const Value = z.object({ notice: z.object({ id: z.string() }), finding: z.unknown() })

test('an alert can be read back from the log, whole and by its identity', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'alerts-topic-'))
  const log = new EmbeddedLog(folder)
  t.after(async () => {
    await log.close()
    await rm(folder, { recursive: true, force: true })
  })
  const doors = { fetch, clock: () => new Date(0), readSecret: () => Promise.resolve(''), log }
  const sender = channel.open({}, doors)
  assert.ok(sender.mode === 'events')
  const finding = sampleFinding()
  const notice = {
    number: 1,
    id: 'msg_1',
    at: '2026-01-01T09:00:00.000Z',
    kind: 'opened' as const,
    withheld: null,
    episode: 1,
    fingerprint: finding.fingerprint,
    sequence: 1,
    signal: finding.signal,
    tenant: finding.tenant,
    severity: finding.severity
  }
  const outcome = await sender.send(
    { notice, finding, links: linkBook(null)(finding) },
    new AbortController().signal
  )
  assert.deepEqual(outcome, { kind: 'delivered' })
  const run = await log.read(ALERTS_TOPIC, 0, 0, { bytesMax: 1_000_000, waitMsMax: 1_000 })
  assert.equal(run.count, 1)
  const text = Buffer.from(run.bytes.subarray(run.valueStart[0], run.valueEnd[0])).toString()
  const value = Value.parse(JSON.parse(text))
  assert.deepEqual(value, { notice: { id: 'msg_1' }, finding })
  assert.equal(run.header(0, 'ce_id'), 'msg_1')
  assert.equal(run.header(0, 'ce_type'), 'incident.opened')
})
