import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { nativeEvent, seeded } from './native-batch.ts'
import { spanBatch } from './span-batch.ts'

/**
 * What one collector process takes in durably: `node --import tsx infra/bench/collect/main.ts
 * [native|spans] [seconds]`. The collector runs alone in a process; CPU-seconds and memory are its
 * own, from /proc, so that the sender and other work on the machine do not count.
 */
const [kind = 'native', seconds = '10'] = process.argv.slice(2)
/** Batches as the issue asks for, and as OpenTelemetry's batch processor sends them. */
const BATCH = kind === 'native' ? 100 : 512
const CONNECTIONS = 8
/** Batches made before the clock starts; sent over and over, with ids that repeat. */
const PREPARED = 200
const MS_PER_S = 1000
/** Ticks of /proc in a second on Linux, and bytes of a page. */
const TICKS_PER_S = 100
const PAGE_BYTES = 4096
const MEBIBYTE = 1 << 20

const collector = fileURLToPath(new URL('../../../services/collect/main.ts', import.meta.url))
const data = await mkdtemp(path.join(tmpdir(), 'tally-bench-collect-'))
const args = [
  '--import',
  'tsx',
  ...(process.env['PROFILE'] ? ['--cpu-prof', `--cpu-prof-dir=${process.env['PROFILE']}`] : []),
  collector
]
const child = spawn(process.execPath, args, {
  env: { ...process.env, TALLY_DATA: data, TALLY_PORT: '0' },
  stdio: ['ignore', 'pipe', 'inherit']
})
const [url = ''] = await new Promise<string[]>((resolve) =>
  createInterface(child.stdout).once('line', (line) => resolve([line]))
)

/** CPU-seconds used, and resident bytes, of the collector. */
const used = (): { cpu: number; rss: number } => {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  const ticks = Number(fields[11]) + Number(fields[12])
  return { cpu: ticks / TICKS_PER_S, rss: Number(fields[21]) * PAGE_BYTES }
}

const chance = seeded(7)
const batches = Array.from({ length: PREPARED }, (_, index): Uint8Array => {
  const first = index * BATCH
  if (kind !== 'native') return spanBatch(first, BATCH, Date.now(), chance)
  const events = Array.from({ length: BATCH }, (_one, at) =>
    nativeEvent(first + at, chance, Date.now())
  )
  return Buffer.from(JSON.stringify(events))
})
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
const [door, mediaType] =
  kind === 'native' ? ['/v1/events', 'application/json'] : ['/v1/traces', 'application/x-protobuf']

const post = (body: Uint8Array): Promise<number> =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': mediaType, 'content-length': body.length }
    const sent = request(`${url}${door}`, { method: 'POST', agent, headers }, (answer) => {
      answer.resume()
      answer.once('end', () => resolve(answer.statusCode ?? 0))
    })
    sent.once('error', reject)
    sent.end(body)
  })

let events = 0
let refused = 0
const sendUntil = async (endMs: number): Promise<void> => {
  for (let index = 0; Date.now() < endMs; index++) {
    const status = await post(batches[(index * CONNECTIONS) % PREPARED] ?? new Uint8Array())
    if (status === 200) events += BATCH
    else refused++
  }
}
const run = async (forMs: number): Promise<void> => {
  const endMs = Date.now() + forMs
  await Promise.all(Array.from({ length: CONNECTIONS }, () => sendUntil(endMs)))
}

await run(2 * MS_PER_S)
events = 0
const start = { ...used(), ms: Date.now() }
const memory: number[] = []
const watch = setInterval(() => memory.push(used().rss), MS_PER_S)
await run(Number(seconds) * MS_PER_S)
clearInterval(watch)
const end = { ...used(), ms: Date.now() }
child.kill('SIGTERM')
await new Promise((resolve) => child.once('exit', resolve))
await rm(data, { recursive: true })
agent.destroy()

const cpu = end.cpu - start.cpu
const wall = (end.ms - start.ms) / MS_PER_S
process.stdout.write(
  `${JSON.stringify({
    kind,
    batch: BATCH,
    events,
    refused,
    wall_s: wall,
    cpu_s: cpu,
    events_per_s: Math.round(events / wall),
    events_per_cpu_s: Math.round(events / cpu),
    rss_mib: memory.map((bytes) => Math.round(bytes / MEBIBYTE))
  })}\n`
)
