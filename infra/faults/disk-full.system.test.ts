import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { EVENTS_TOPIC } from '../../schemas/topics.ts'
import { lakeFolder } from '../../services/cli/site.ts'
import { assertSettled } from './checker.ts'
import { startStage } from './child.ts'
import { ledgerOf, sumTruth } from './ledger.ts'
import { caughtUp, createStand, lagOf, settleAll, openScratchLog, type Stand } from './stand.ts'

const topic = EVENTS_TOPIC
const PARTITIONS = 2

/** Of the device under the lake: a few flushes fit. */
const DEVICE_BYTES = 8 * 1024 * 1024
/** What is left on it when it is full: nothing; or less than a flush needs. */
const LEFT_BYTES = [0, 65_536]

const run = promisify(execFile)

/** Puts a small file system under a folder. @returns whether this machine lets us. */
const mountSmall = (folder: string): Promise<boolean> => {
  const options = ['-t', 'tmpfs', '-o', `size=${DEVICE_BYTES}`, 'tmpfs', folder]
  return run('mount', options).then(
    () => true,
    () => false
  )
}

/** Takes all room of a folder's device but so many bytes. @returns what gives it back. */
const fill = async (folder: string, leftBytes: number): Promise<() => Promise<void>> => {
  const filler = path.join(folder, 'filler')
  // More than there is: the write ends when the device is full.
  await assert.rejects(writeFile(filler, Buffer.alloc(DEVICE_BYTES)), { code: 'ENOSPC' })
  await truncate(filler, (await stat(filler)).size - leftBytes)
  return () => rm(filler)
}

describe('a full disk under a consumer', () => {
  test('makes it wait with its offsets where they are, and go on once there is room', async (t) => {
    // Not `faultFolder`: the device has to go before the folder does.
    const data = await mkdtemp(path.join(tmpdir(), 'tally-faults-'))
    const lake = lakeFolder({ data })
    await mkdir(lake)
    const isMounted = await mountSmall(lake)
    t.after(async () => {
      if (isMounted) await run('umount', ['-l', lake])
      await rm(data, { recursive: true, force: true })
    })
    if (!isMounted) return t.skip('mounting a small file system needs root')
    const log = await openScratchLog(t, data, topic, PARTITIONS)
    const stand = await createStand(t, { log, topic, data })
    const early = ledgerOf('early', 500, { repeats: 0.1 })
    await log.append(topic, early.records)
    const stage = startStage({ STAGE: 'serve', DATA: data })
    t.after(() => stage.process.kill('SIGKILL'))
    await caughtUp(stand, stage)

    let { truth } = early
    for (const leftBytes of LEFT_BYTES) {
      const makeRoom = await fill(lake, leftBytes)
      const later = ledgerOf(`full-${leftBytes}`, 3_000, { repeats: 0.1 })
      truth = sumTruth(truth, later.truth)
      await log.append(topic, later.records)
      // What still fitted in is landed; then it tries again, and may stumble over its own leavings.
      await stage.saysAgain('E_DISK_FULL', 1)
      const { version } = await stand.site.lake.head()
      const lag = await lagOf(stand)
      assert.ok(lag > 0)
      await stage.saysAgain('E_DISK_FULL', 2)
      assert.deepEqual([(await stand.site.lake.head()).version, await lagOf(stand)], [version, lag])
      await makeRoom()
      await caughtUp(stand, stage)
    }
    assert.deepEqual(await leavings(stand), [])
    stage.process.kill('SIGTERM')
    const { code, output } = await stage.ended
    assert.equal(code, 0, output)
    await settleAll(stand)
    const { gaps } = await assertSettled(data, truth, t)
    assert.deepEqual(gaps, [])
  })
})

/** Files of data in the folder of a lake that its head does not name. */
const leavings = async ({ data, site }: Stand): Promise<string[]> => {
  const { files } = await site.lake.head()
  const named = new Set(
    [...files].flatMap(([table, byPath]) => [...byPath.keys()].map((name) => `${table}/${name}`))
  )
  const found = (await readdir(lakeFolder({ data }), { recursive: true })).filter(
    (name) => !name.includes('/_') && name.includes('.parquet')
  )
  return found.filter((name) => !named.has(name))
}
