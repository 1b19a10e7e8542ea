import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createBatches, type Kind } from './batch.ts'
import { pinSelf, startCollector, type Collector } from './collector.ts'
import { countLog } from './count-log.ts'
import { audit, Ledger } from './ledger.ts'
import { Load } from './load.ts'
import { answers, measure } from './meter.ts'

/**
 * What one collector process on one core takes in durably, and what it does when it can not:
 * `node --import tsx infra/bench/collect/main.ts [native] [spans] [both] [seconds]`.
 *
 * Of each: `rate`, the rate that is asked of it for so many seconds; `flood`, more senders than may
 * be in flight; `kill`, SIGKILL at full load, a new process on the same folder, what was not
 * acknowledged sent again, and a count of the log. The collector runs on core 1, senders on core 0.
 * Ends with 1 when an acknowledged event is lost, or one is there more often than the contract
 * allows. COLLECTOR names a built program, PROFILE a folder
 * for a profile of the rate alone, CORES=any pins nothing.
 */
const KINDS: Readonly<Record<string, readonly Kind[]>> = {
  native: ['native'],
  spans: ['spans'],
  both: ['native', 'spans']
}
const RATE: Readonly<Record<Kind, number>> = { native: 20_000, spans: 5000 }
/** As a fleet behind a balancer keeps open; one request each at a time. */
const CONNECTIONS = 32
/** More than the bounds of events and bytes in flight (100 k, 128 MiB) let in at once. */
const FLOOD_CONNECTIONS: Readonly<Record<Kind, number>> = { native: 3000, spans: 300 }
/** Long enough for code to be compiled: the rate is one of a process that runs. */
const WARM_UP_S = 5
/** Load before the kill. */
const KILL_AFTER_S = 5
const MS_PER_S = 1000
/** Share of the time that the flood takes. */
const FLOOD_SHARE = 4

const args = process.argv.slice(2)
const seconds = Number(args.find((one) => /^\d+$/.test(one)) ?? 60)
const asked = args.filter((one) => Object.hasOwn(KINDS, one))
const { COLLECTOR, PROFILE, CORES } = process.env
const isPinned = CORES !== 'any'
if (isPinned) pinSelf(0)
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => process.exit(1))

const print = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`)

const start = (data: string): Promise<Collector> =>
  startCollector({
    data,
    core: isPinned ? 1 : null,
    program: COLLECTOR ?? null,
    env: process.env,
    nodeOptions: PROFILE === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${PROFILE}`]
  })

const loadOf = (kind: Kind, connections: number, url: URL, ledger: Ledger): Load =>
  new Load(url, createBatches(kind, connections, 7), ledger)

/** The rate that is asked of the kinds, all at once. */
const rate = async (kinds: readonly Kind[], collector: Collector, ledger: Ledger) => {
  const offer = async (forS: number): Promise<void> => {
    const loads = kinds.map((kind) => ({
      kind,
      load: loadOf(kind, CONNECTIONS, collector.url, ledger)
    }))
    const usage = await measure(collector, () =>
      Promise.all(loads.map(({ kind, load }) => load.offer(RATE[kind], forS)))
    )
    for (const { kind, load } of loads) {
      load.close()
      if (forS !== WARM_UP_S) {
        print({ phase: 'rate', kind, offered_per_s: RATE[kind], ...answers(load.tally, usage) })
      }
    }
    if (forS !== WARM_UP_S) print({ phase: 'rate', kinds, ...usage })
  }
  await offer(WARM_UP_S)
  await offer(seconds)
}

const flood = async (kind: Kind, collector: Collector, ledger: Ledger) => {
  const load = loadOf(kind, FLOOD_CONNECTIONS[kind], collector.url, ledger)
  const usage = await measure(collector, () => load.flood(seconds / FLOOD_SHARE))
  load.close()
  const connections = FLOOD_CONNECTIONS[kind]
  print({ phase: 'flood', kind, connections, ...answers(load.tally, usage), ...usage })
}

/** @returns the process that took over. */
const kill = async (kinds: readonly Kind[], collector: Collector, data: string, ledger: Ledger) => {
  const loads = kinds.map((kind) => loadOf(kind, CONNECTIONS, collector.url, ledger))
  const gone = loads.map((load) => load.floodUntilGone())
  await sleep(KILL_AFTER_S * MS_PER_S)
  for (const load of loads) load.abandon()
  await collector.end('SIGKILL')
  await Promise.all(gone)
  const killed = audit(ledger, await countLog(data, ledger.serials))
  print({ phase: 'kill', kinds, when: 'after SIGKILL', ...killed })
  const next = await start(data)
  await Promise.all(loads.map((load) => load.resend(next.url)))
  return next
}

const prove = async (kinds: readonly Kind[]): Promise<void> => {
  const data = await mkdtemp(path.join(tmpdir(), 'tally-bench-collect-'))
  const clean = (): void => rmSync(data, { recursive: true, force: true })
  process.once('exit', clean)
  const ledger = new Ledger()
  try {
    const collector = await start(data)
    await rate(kinds, collector, ledger)
    // A killed process writes no profile.
    if (PROFILE !== undefined) return await collector.end('SIGTERM')
    for (const kind of kinds) await flood(kind, collector, ledger)
    const next = await kill(kinds, collector, data, ledger)
    await next.end('SIGTERM')
    const found = audit(ledger, await countLog(data, ledger.serials))
    print({ phase: 'kill', kinds, when: 'all sent again', ...found })
    const isWhole = found.lost === 0 && found.doubled === 0
    if (!isWhole || found.acknowledged !== ledger.serials) process.exitCode = 1
  } finally {
    process.off('exit', clean)
    clean()
  }
}

for (const name of asked.length > 0 ? asked : Object.keys(KINDS)) await prove(KINDS[name] ?? [])
