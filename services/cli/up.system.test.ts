import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { openReceiver, type Receiver } from '../../jobs/alert/receiver.ts'
import { recordedEvents } from './demo/sessions.ts'
import { eventAt, killAll, post, ready, run, startUp, until } from './up/child.ts'

const HOUR_MS = 3_600_000

const sqlIds = async (data: string): Promise<string[]> => {
  const { code, out, err } = await run('sql', 'SELECT id FROM events', '--data', data, '--json')
  assert.equal(code, 0, err)
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { id: string }).id)
    .sort()
}

describe('tally up', () => {
  let data = ''
  before(async () => {
    data = await mkdtemp(path.join(tmpdir(), 'tally-up-'))
  })
  after(async () => {
    killAll()
    await rm(data, { recursive: true })
  })

  test('lands what it takes, drains on SIGTERM, and loses nothing to kill -9', async (t) => {
    let up = await startUp(data)
    await ready(up)

    await t.test('an event is landed by time alone, soon after it was acknowledged', async () => {
      assert.equal(await post(up, [eventAt('first')]), 1)
      const postedMs = performance.now()
      const text = await until('a flush', async () => {
        const page = await (await fetch(`${up.url}/metrics`)).text()
        return /flushed_partitions_total\{result="landed"\} [1-9]/.test(page) ? page : null
      })
      const tookMs = performance.now() - postedMs
      // A busy machine takes seconds over the first flush; the figure says how long it was.
      t.diagnostic(`landed ${Math.round(tookMs)} ms after it was acknowledged`)
      assert.deepEqual(await sqlIds(data), ['first'])
      assert.match(text, /tally_consume_lag_records\{partition="0"\} 0/)
    })

    await t.test('the clock runs the jobs, the split of measured energy among them', async () => {
      await until('the first run of the jobs', async () => {
        const page = await (await fetch(`${up.url}/metrics`)).text()
        return ['settle', 'meter'].every((task) => page.includes(`task="${task}"`)) ? page : null
      })
    })

    await t.test('doctor finds nothing wrong, and who holds the lake', async () => {
      const { code, out } = await run('doctor', '--data', data)
      assert.equal(code, 0, out)
      assert.match(out, /✓ leases: consume for \d+ s more, jobs for/)
    })

    await t.test('ingest leaves the landing to it and returns when it is done', async () => {
      const file = path.join(data, 'calls.ndjson')
      await writeFile(file, `${JSON.stringify(eventAt('ingested'))}\n`)
      const { code, out, err } = await run('ingest', file, '--data', data, '--json')
      assert.equal(code, 0, err)
      const { landed, landed_by: by } = JSON.parse(out) as Record<string, unknown>
      assert.deepEqual([by, landed], ['up', { events: 1, windows: 1, quarantined: 0, gaps: 0 }])
    })

    await t.test('a kill loses nothing that was acknowledged', async () => {
      await post(up, [eventAt('killed')])
      up.child.kill('SIGKILL')
      assert.equal((await up.ended).signal, 'SIGKILL')
    })

    await t.test('SIGTERM lands what was acknowledged and exits with 0', async () => {
      up = await startUp(data)
      await ready(up)
      await post(up, [eventAt('last')])
      up.child.kill('SIGTERM')
      assert.deepEqual(await up.ended, { code: 0, signal: null }, up.messages())
      assert.deepEqual(await sqlIds(data), ['first', 'ingested', 'killed', 'last'])
    })
  })

  test('ends at once at the second Ctrl-C, even while a sender keeps it waiting', async (t) => {
    const up = await startUp(path.join(data, 'idle'), '--no-consume', '--no-jobs')
    const { hostname, port } = new URL(up.url)
    const socket = connect(Number(port), hostname)
    t.after(() => socket.destroy())
    socket.on('error', () => undefined)
    const head = ['POST /v1/events HTTP/1.1', 'host: tally', 'content-type: application/json']
    socket.write(`${[...head, 'content-length: 1000'].join('\r\n')}\r\n\r\n{`)
    await until('the request', async () => {
      const page = await (await fetch(`${up.url}/metrics`)).text()
      return /in_flight_bytes [1-9]/.test(page) ? page : null
    })
    up.child.kill('SIGINT')
    await until('the word that it drains', async () =>
      up.messages().includes('once more ends at once') ? true : null
    )
    up.child.kill('SIGINT')
    assert.deepEqual(await up.ended, { code: 130, signal: null })
  })

  test('ends with an error that names it when a part can not go on', async () => {
    const broken = path.join(data, 'broken')
    const up = await startUp(broken)
    await ready(up)
    // A commit of another program in the table that decides stops the lake.
    const log = path.join(broken, 'lake', 'ranges', '_delta_log')
    await writeFile(path.join(log, `${'1'.padStart(20, '0')}.json`), '{"commitInfo":{}}\n')
    await post(up, [eventAt('one')])
    const { code } = await up.ended
    assert.equal(code, 1, up.messages())
    assert.match(up.messages(), /E_LAKE_CORRUPT: the (consumer|thread of jobs) ended: /)
  })
})

type Told = { fingerprint: string; tenant: string | null; culprit?: { tenant: string } }

/** The finding of a message that opens an incident. */
const opened = ({ body }: { body: string }): Told[] => {
  const { type, data } = JSON.parse(body) as { type: string; data: { finding: Told } }
  return type === 'incident.opened' ? [data.finding] : []
}

/** Tenant-a's own incident; those of the whole pool and of its victims have other scopes. */
const isOfCulprit = ({ tenant, culprit }: Told): boolean =>
  tenant === 'tenant-a' && culprit?.tenant === 'tenant-a'

describe('tally up with a channel', () => {
  const key = Buffer.from('a secret of twenty-four b')
  let folder = ''
  let receiver: Receiver
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tally-alert-'))
    receiver = await openReceiver(() => ({ status: 200 }))
    const secret = path.join(folder, 'secret')
    await writeFile(secret, `whsec_${key.toString('base64')}`)
    const entry = { name: 'hook', kind: 'webhook', url: receiver.url, secret_file: secret }
    // The recorded hour is over, so its end says nothing about the sender.
    const config = { watch_silence: false, channels: [entry] }
    await writeFile(path.join(folder, 'alerts.yaml'), JSON.stringify(config))
  })
  after(async () => {
    killAll()
    await receiver.close()
    await rm(folder, { recursive: true })
  })

  test('tells a receiver once, signed, that tenant-a thrashes the cache', async () => {
    const up = await startUp(folder, '--alert-config', path.join(folder, 'alerts.yaml'))
    await ready(up)
    const events = await recordedEvents('shifted', Date.now() - 2 * HOUR_MS)
    assert.equal(await post(up, events), events.length)
    await until('the alert', async () =>
      receiver.taken().flatMap(opened).some(isOfCulprit) ? true : null
    )
    up.child.kill('SIGTERM')
    assert.deepEqual(await up.ended, { code: 0, signal: null }, up.messages())
    const incidents = receiver.taken().flatMap(opened)
    assert.equal(incidents.filter(isOfCulprit).length, 1)
    const fingerprints = new Set(incidents.map(({ fingerprint }) => fingerprint))
    assert.equal(fingerprints.size, incidents.length, 'an incident was told twice')
    for (const { headers, body } of receiver.taken()) {
      const signed = [headers['webhook-id'], headers['webhook-timestamp'], body].join('.')
      const signature = createHmac('sha256', key).update(signed).digest('base64')
      assert.equal(headers['webhook-signature'], `v1,${signature}`)
    }
    const ids = receiver.taken().map((one) => one.headers['webhook-id'])
    assert.equal(new Set(ids).size, ids.length)
  })
})
