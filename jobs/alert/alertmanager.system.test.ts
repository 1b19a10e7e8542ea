import assert from 'node:assert/strict'
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { Finding } from '../../schemas/finding.ts'
import { numberFindings } from '../../schemas/incidents.ts'
import { Engine } from '../../services/lake/engine.ts'
import { openLake } from '../../services/lake/lake.ts'
import { parquetWriter } from '../../services/lake/land-table.ts'
import { openLakeStore } from './lake-store.ts'
import { openReceiver, type Receiver } from './receiver.ts'
import { sampleFinding } from './sample.ts'
import type { AlertStore } from './store.ts'
import { freePort } from '../../infra/suite/free-port.ts'

/**
 * A real Alertmanager between us and the person on call, and a webhook beside it, while we are
 * killed again and again: nobody may hear of an incident twice, or of an end that was none.
 */

const BINARIES = ['prometheus-alertmanager', 'alertmanager']
const binary = BINARIES.find((name) => spawnSync(name, ['--version']).error === undefined)
const missing = 'Alertmanager is not installed (Debian: prometheus-alertmanager)'
const skip = binary === undefined && process.env['CI'] !== 'true' ? missing : false

const CLI = new URL('../../services/cli/main.ts', import.meta.url).pathname
const KEY = `whsec_${Buffer.alloc(32, 1).toString('base64')}`

/** What Alertmanager tells a webhook receiver, as far as it matters here. */
const Message = z.object({
  status: z.string(),
  alerts: z.array(
    z.object({
      status: z.enum(['firing', 'resolved']),
      labels: z.record(z.string(), z.string()),
      annotations: z.record(z.string(), z.string())
    })
  )
})

const until = async (what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> => {
  for (let looks = 0; looks < 1_200; looks++) {
    if (await isTrue()) return
    await sleep(50)
  }
  throw new Error(`waited in vain: ${what}`)
}

const end = async (child: ChildProcess, signal: NodeJS.Signals): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}

type Alertmanager = { url: string; restart: () => Promise<void> }

const startAlertmanager = async (
  t: TestContext,
  folder: string,
  pager: Receiver
): Promise<Alertmanager> => {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const config = {
    route: {
      receiver: 'pager',
      group_by: ['fingerprint'],
      group_wait: '1s',
      group_interval: '1s',
      repeat_interval: '4h'
    },
    receivers: [{ name: 'pager', webhook_configs: [{ url: pager.url, send_resolved: true }] }]
  }
  const file = join(folder, 'alertmanager.json')
  await writeFile(file, JSON.stringify(config))
  const options = [
    `--config.file=${file}`,
    `--storage.path=${join(folder, 'alertmanager')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--cluster.listen-address='
  ]
  let child: ChildProcess
  const start = async (): Promise<void> => {
    child = spawn(binary ?? '', options, { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr?.on('data', (chunk: Buffer) => (said = chunk.toString()))
    await until('Alertmanager is ready', async () => {
      if (child.exitCode !== null) throw new Error(`Alertmanager ended: ${said}`)
      try {
        return (await fetch(`${url}/-/ready`)).ok
      } catch {
        return false
      }
    })
  }
  await start()
  t.after(() => end(child, 'SIGKILL'))
  return {
    url,
    // A stop in order: its log of what it told is on disk, its alerts are not.
    restart: async () => {
      await end(child, 'SIGTERM')
      await start()
    }
  }
}

const openStore = async (t: TestContext, data: string): Promise<AlertStore> => {
  const engine = await Engine.open()
  t.after(() => engine.close())
  const lake = await openLake(join(data, 'lake'), {
    writeParquet: parquetWriter(engine),
    create: true
  })
  const coverage = () => Promise.resolve([])
  return openLakeStore({ lake, engine, generation: 'test', watermarkMs: () => null, coverage })
}

const commit = (store: AlertStore, findings: readonly Finding[]): Promise<boolean> =>
  store.commit((state) => {
    const numbered = numberFindings(state, findings)
    return { state: numbered.state, findings: numbered.rows }
  })

/** Alerts that the person on call heard of, in order, by fingerprint. */
const heard = (pager: Receiver): Map<string, string[]> => {
  const heardOf = new Map<string, string[]>()
  for (const { body } of pager.received) {
    for (const { labels, status } of Message.parse(JSON.parse(body)).alerts) {
      const fingerprint = labels['fingerprint'] ?? ''
      heardOf.set(fingerprint, [...(heardOf.get(fingerprint) ?? []), status])
    }
  }
  return heardOf
}

const incident = (index: number, status: 'firing' | 'resolved'): Finding =>
  sampleFinding({
    fingerprint: `incident-${index}`,
    tenant: `tenant-${index}`,
    status,
    detected_at: new Date(
      Date.parse('2026-01-01T08:00:00Z') + (index * 2 + Number(status === 'resolved')) * 60_000
    ).toISOString()
  })

test(
  'a real Alertmanager hears of each incident once and of its end once, however often we are killed',
  { skip, timeout: 240_000 },
  async (t) => {
    assert.ok(binary !== undefined, missing)
    const data = await mkdtemp(join(tmpdir(), 'alertmanager-'))
    const pager = await openReceiver(() => ({ status: 200 }))
    let requests = 0
    const hook = await openReceiver(() =>
      requests++ % 3 === 1 ? { status: 500 } : { status: 204 }
    )
    t.after(async () => {
      await pager.close()
      await hook.close()
      await rm(data, { recursive: true, force: true })
    })
    const alertmanager = await startAlertmanager(t, data, pager)
    const store = await openStore(t, data)
    const config = join(data, 'alerts.json')
    await writeFile(join(data, 'secret'), KEY)
    await writeFile(
      config,
      JSON.stringify({
        watch_silence: false,
        channels: [
          { name: 'am', kind: 'alertmanager', url: alertmanager.url, refresh_seconds: 1 },
          { name: 'hook', kind: 'webhook', url: hook.url, secret_file: join(data, 'secret') }
        ]
      })
    )
    const start = (): ChildProcess => {
      const child = spawn(
        process.execPath,
        ['--import', 'tsx', CLI, 'alert', 'run', '--data', data, '--config', config],
        { stdio: 'ignore' }
      )
      t.after(() => end(child, 'SIGKILL'))
      return child
    }

    // Register the channels, then let incidents open and end while we are killed at odd moments.
    await end(await startedOnce(start, store), 'SIGKILL')
    const rounds = 6
    for (let round = 0; round < rounds; round++) {
      await commit(store, [incident(round, 'firing')])
      const child = start()
      const told = hook.taken().length + pager.received.length
      await until('something is told', () => hook.taken().length + pager.received.length > told)
      await sleep((round * 37) % 120)
      await end(child, 'SIGKILL')
      if (round === 3) await alertmanager.restart()
    }
    const alive = start()
    await until('every opening is heard of', () => heard(pager).size === rounds)
    for (const statuses of heard(pager).values())
      assert.deepEqual(statuses, ['firing'], 'no false end')
    for (let round = 0; round < rounds; round += 2)
      await commit(store, [incident(round, 'resolved')])
    await until(
      'half of the ends are heard of',
      () =>
        [...heard(pager).values()].filter((statuses) => statuses.includes('resolved')).length ===
        rounds / 2
    )
    await end(alive, 'SIGKILL')
    const last = start()
    const before = await told(store)
    await until(
      'the webhook has everything',
      () => new Set(hook.taken().map(({ headers }) => headers['webhook-id'])).size === before.length
    )
    // Alertmanager looks at its groups each second: long enough to see anything that should not be.
    await sleep(3_000)
    await end(last, 'SIGTERM')

    for (let round = 0; round < rounds; round++) {
      const expected = round % 2 === 0 ? ['firing', 'resolved'] : ['firing']
      assert.deepEqual(heard(pager).get(`incident-${round}`), expected, `incident ${round}`)
    }
    const ids = new Set(hook.taken().map(({ headers }) => headers['webhook-id']))
    assert.deepEqual(ids, new Set(before), 'the webhook has each notice, by its id')
  }
)

const told = async (store: AlertStore): Promise<string[]> =>
  (await store.notices(0, 1_000)).map(({ id }) => id)

/** Starts us and waits until the channels have their places. */
const startedOnce = async (start: () => ChildProcess, store: AlertStore): Promise<ChildProcess> => {
  const child = start()
  await until('channels are registered', async () =>
    (await store.state()).has('alert/channel/hook')
  )
  return child
}
