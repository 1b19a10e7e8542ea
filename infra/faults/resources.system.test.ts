import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { cp, readFile, readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { EVENTS_TOPIC } from '../../schemas/topics.ts'
import { lakeFolder } from '../../services/cli/site.ts'
import { UNFINISHED } from '../../services/lake/files.ts'
import { EmbeddedLog } from '../../services/stream/embedded/log.ts'
import { assertSettled, readLake } from './checker.ts'
import { runStageProcess, startStage, type Ended } from './child.ts'
import { ledgerOf, sumTruth, type Ledger } from './ledger.ts'
import {
  caughtUp,
  consumeAll,
  createStand,
  faultFolder,
  positionOf,
  settleAll,
  until,
  type Stand
} from './stand.ts'

/** What a machine may refuse: each time a clear error, nothing moved, and all of it landed after. */

const repeated = (prefix: string, events: number): Ledger =>
  ledgerOf(prefix, events, { repeats: 0.1 })

const standWith = async (t: TestContext, { records }: Ledger): Promise<Stand> => {
  const data = await faultFolder(t)
  const log = new EmbeddedLog(path.join(data, 'log'))
  t.after(() => log.close())
  await log.ensureTopic(EVENTS_TOPIC, 2)
  await log.append(EVENTS_TOPIC, records)
  return createStand(t, { log, topic: EVENTS_TOPIC, data })
}

const reached = async (stand: Stand): Promise<number> =>
  (await positionOf(stand, 0)) + (await positionOf(stand, 1))

/** Root may write anywhere; without this capability it may not, like everybody else. */
const AS_OTHERS =
  process.getuid?.() === 0
    ? ['setpriv', '--bounding-set=-dac_override', '--inh-caps=-dac_override']
    : ['env']

const consumeUnder = (stand: Stand, wrapper: readonly string[]): Promise<Ended> =>
  runStageProcess({ STAGE: 'consume', DATA: stand.data, PATH: process.env['PATH'] ?? '' }, wrapper)

describe('a lake that may not be written', () => {
  test('ends the consumer with a clear error, moves nothing, and is filled later', async (t) => {
    const ledger = repeated('denied', 800)
    const stand = await standWith(t, ledger)
    const lake = lakeFolder(stand)
    execFileSync('chmod', ['-R', 'a-w', lake])
    const ended = await consumeUnder(stand, AS_OTHERS)
    execFileSync('chmod', ['-R', 'u+w', lake])
    assert.notEqual(ended.code, 0, ended.output)
    assert.match(ended.output, /EACCES|EROFS|permission denied/i)
    assert.equal(await reached(stand), 0)
    assert.equal((await consumeUnder(stand, AS_OTHERS)).code, 0)
    await settleAll(stand)
    await assertSettled(stand.data, ledger.truth, t)
  })
})

const skipLimits =
  spawnSync('prlimit', ['--version']).status === 0 ? false : 'prlimit is not installed'

describe('a process that may open few files', { skip: skipLimits }, () => {
  test('says so, moves nothing, and the next one lands the rest', async (t) => {
    const [early, later] = [repeated('early', 400), repeated('later', 400)]
    const stand = await standWith(t, early)
    const stage = startStage({ STAGE: 'serve', DATA: stand.data })
    t.after(() => stage.process.kill('SIGKILL'))
    await caughtUp(stand, stage)
    const before = await reached(stand)
    const limited = await allowNoMoreFiles(stage.process.pid ?? 0)
    t.after(() => clearInterval(limited))
    await stand.log.append(EVENTS_TOPIC, later.records)
    const { code, output } = await stage.ended
    assert.notEqual(code, 0, output)
    assert.match(output, /EMFILE|too many open files/i)
    assert.equal(await reached(stand), before)
    await consumeAll(stand)
    await settleAll(stand)
    await assertSettled(stand.data, sumTruth(early.truth, later.truth), t)
  })
})

/** How often the limit follows what the process closes: a number that is free again would be given. */
const LIMIT_LOOK_MS = 20

/** Puts the limit at the lowest number that is free: the next file to be opened would get it. */
const allowNoMoreFiles = async (pid: number): Promise<NodeJS.Timeout> => {
  let limit = Infinity
  const tighten = async (): Promise<void> => {
    const open = new Set((await readdir(`/proc/${pid}/fd`)).map(Number))
    let free = 0
    while (open.has(free)) free += 1
    if (free >= limit) return
    limit = free
    execFileSync('prlimit', ['--pid', String(pid), `--nofile=${free}`])
  }
  await tighten()
  // What has ended has no files.
  return setInterval(() => void tighten().catch(() => undefined), LIMIT_LOOK_MS)
}

/** Of a busy disk in the network; a quiet one of one's own takes two. */
const SYNC_MS = 100
/** One flush makes more. */
const SYNCS_MIN = 20

describe('a disk whose syncs are slow', () => {
  test('holds commits back and nothing else: all is landed once, also after a kill amid a sync', async (t) => {
    const ledger = repeated('slow', 3_000)
    const stand = await standWith(t, ledger)
    const env = { STAGE: 'serve', DATA: stand.data, BUILD: 'slow', SYNC_MS: String(SYNC_MS) }
    const killed = startStage(env)
    t.after(() => killed.process.kill('SIGKILL'))
    await killed.said('pending')
    await until('a file that waits for its sync', () => hasUnfinished(stand))
    killed.process.kill('SIGKILL')
    await killed.ended
    assert.equal(await reached(stand), 0)

    const stage = startStage(env)
    t.after(() => stage.process.kill('SIGKILL'))
    await stage.said('pending')
    const startedMs = performance.now()
    await caughtUp(stand, stage)
    const tookMs = performance.now() - startedMs
    assert.ok(tookMs > SYNCS_MIN * SYNC_MS, `${tookMs} ms: no sync was slow`)
    stage.process.kill('SIGTERM')
    const { code, output } = await stage.ended
    assert.equal(code, 0, output)
    await settleAll(stand)
    await assertSettled(stand.data, ledger.truth, t)
    t.diagnostic(`seen: all landed after ${Math.round(tookMs / 1000)} s, at ${SYNC_MS} ms a sync`)
  })
})

const hasUnfinished = async (stand: Stand): Promise<boolean> =>
  (await readdir(lakeFolder(stand), { recursive: true })).some((name) => name.endsWith(UNFINISHED))

describe('a process that runs out of memory', { skip: skipLimits }, () => {
  test('in the middle of its work is ended, and the next one starts clean', async (t) => {
    const [early, later] = [repeated('early', 400), repeated('later', 20_000)]
    const stand = await standWith(t, early)
    const env = { STAGE: 'serve', DATA: stand.data, FLUSH_ROWS: '1000000' }
    const stage = startStage(env)
    t.after(() => stage.process.kill('SIGKILL'))
    await caughtUp(stand, stage)
    const before = await reached(stand)
    await allowNoMoreMemory(stage.process.pid ?? 0)
    await stand.log.append(EVENTS_TOPIC, later.records)
    const { code, signal, output } = await stage.ended
    assert.notEqual(code, 0, output)
    // V8 ends itself by a signal where nothing is left to print the reason with.
    if (signal === null) assert.match(output, /out of memory|allocation failed|bad_alloc/i)
    assert.equal(await reached(stand), before)
    await consumeAll(stand)
    await settleAll(stand)
    await assertSettled(stand.data, sumTruth(early.truth, later.truth), t)
  })
})

/** Puts the limit of its address space at what it has now. */
const allowNoMoreMemory = async (pid: number): Promise<void> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const kilobytes = Number(/VmSize:\s+(\d+) kB/.exec(status)?.[1])
  execFileSync('prlimit', ['--pid', String(pid), `--as=${kilobytes * 1024}`])
}

describe('a lake restored from an older copy', () => {
  const restored = async (t: TestContext, trimBefore: number) => {
    const [early, later] = [repeated('early', 500), repeated('later', 700)]
    const before = await standWith(t, early)
    const { data, log } = before
    await consumeAll(before)
    const copy = `${data}-copy`
    t.after(() => rm(copy, { recursive: true, force: true }))
    await cp(lakeFolder({ data }), copy, { recursive: true })
    const stood = [await positionOf(before, 0), await positionOf(before, 1)]
    await log.append(EVENTS_TOPIC, later.records)
    await consumeAll(before)
    await settleAll(before)
    await rm(lakeFolder({ data }), { recursive: true })
    await cp(copy, lakeFolder({ data }), { recursive: true })
    for (const partition of [0, 1]) {
      await log.deleteBefore(EVENTS_TOPIC, partition, stood[partition]! + trimBefore)
    }
    const stand = await createStand(t, { log, topic: EVENTS_TOPIC, data })
    await consumeAll(stand)
    return { stand, stood, truth: sumTruth(early.truth, later.truth) }
  }

  test('reads on from where the copy stands: nothing is lost or doubled', async (t) => {
    const { stand, truth } = await restored(t, 0)
    await settleAll(stand)
    const { gaps } = await assertSettled(stand.data, truth, t)
    assert.deepEqual(gaps, [])
  })

  test('says in a gap which offsets the log no longer holds', async (t) => {
    const { stand, stood } = await restored(t, 40)
    await settleAll(stand)
    const { gaps } = await readLake(stand.data)
    assert.deepEqual(
      gaps.map(({ partition, reason, first, next }) => [partition, reason, first, next]),
      stood.map((offset, partition) => [partition, 'retention', offset, offset + 40])
    )
    t.diagnostic(`seen: ${gaps.length} gaps of exactly 40 offsets each`)
  })
})
