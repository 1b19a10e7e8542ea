import type { TestContext } from 'node:test'
import type { Finding } from '../../../schemas/finding.ts'
import { numberFindings } from '../../../schemas/incidents.ts'
import { readAlertConfig } from '../config.ts'
import { openAlertJob, type AlertJob } from '../job.ts'
import { loadChannels } from '../load-channels.ts'
import { openMemoryStore, type MemoryStore } from '../memory-store.ts'
import { openReceiver, type Answer, type Receiver } from '../receiver.ts'
import { sampleFinding } from '../sample.ts'
import type { AlertStore } from '../store.ts'

/** An alert job on a store in memory, real receivers and a clock that waits move: for tests. */

export const KEY = Buffer.alloc(32, 7)
export const OK: Answer = { status: 200 }

/** Mulberry32: small, seeded, good enough to vary failures. */
export const seeded = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
}

const kinds = await loadChannels()

export type Trial = {
  job: AlertJob
  store: MemoryStore
  reports: string[]
  /** How long lanes were asked to wait. */
  waits: number[]
  clock: { nowMs: number }
}

export const webhook = (name: string, { url }: Receiver): string =>
  `  - { name: ${name}, kind: webhook, url: "${url}/hook", secret_file: "secret" }\n`
export const alertmanager = (name: string, { url }: Receiver): string =>
  `  - { name: ${name}, kind: alertmanager, url: "${url}" }\n`

export const openTrial = async (
  channels: string,
  store: AlertStore = openMemoryStore(),
  clock = { nowMs: Date.parse('2026-01-01T09:00:00Z') }
): Promise<Trial> => {
  const reports: string[] = []
  const waits: number[] = []
  const job = await openAlertJob({
    config: readAlertConfig(
      `page_url: https://tally.example/\nwatch_silence: false\nchannels:\n${channels}`,
      'test.yaml'
    ),
    kinds,
    generation: 'test',
    doors: {
      store,
      clock: () => new Date(clock.nowMs),
      random: seeded(1),
      wait: async (ms) => {
        waits.push(ms)
        clock.nowMs += ms
        // Lets sockets have their turn, so that a test's other lanes go on.
        await new Promise((resolve) => setImmediate(resolve))
      },
      observer: {
        delivered: (channel, count) => reports.push(`${channel} delivered ${count}`),
        retried: (channel, reason) => reports.push(`${channel} retried ${reason}`),
        parked: (channel, failure) => reports.push(`${channel} parked ${failure.code}`),
        pending: () => undefined
      }
    },
    channelDoors: {
      fetch,
      clock: () => new Date(clock.nowMs),
      readSecret: () => Promise.resolve(`whsec_${KEY.toString('base64')}\n`),
      log: null
    }
  })
  return { job, store: store as MemoryStore, reports, waits, clock }
}

export const find = (store: AlertStore, ...findings: Partial<Finding>[]): Promise<boolean> =>
  store.commit((state) => {
    const numbered = numberFindings(
      state,
      findings.map((changes) => sampleFinding(changes))
    )
    return { state: numbered.state, findings: numbered.rows }
  })

export const receive = async (t: TestContext, answer: Parameters<typeof openReceiver>[0]) => {
  const receiver = await openReceiver(answer)
  t.after(receiver.close)
  return receiver
}

export const idsOf = (receiver: Receiver): string[] =>
  receiver.taken().map(({ headers }) => String(headers['webhook-id']))

export const stop = (): AbortSignal => new AbortController().signal

/** Drains again and again, as a running lane does, until nothing waits. */
export const drainAll = async ({ job }: Trial, roundsMax = 400): Promise<number> => {
  for (let round = 1; round <= roundsMax; round++) {
    const reports = await job.drain(stop())
    if ([...reports.values()].every(({ kind }) => kind === 'idle')) return round
  }
  throw new Error(`still failing after ${roundsMax} rounds`)
}

export const many = (count: number): Partial<Finding>[] =>
  Array.from({ length: count }, (_, index) => ({
    fingerprint: `f${index}`,
    tenant: `tenant-${index}`,
    detected_at: new Date(Date.parse('2026-01-01T00:00:00Z') + index * 60_000).toISOString()
  }))
