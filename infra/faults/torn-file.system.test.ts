import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, stat, watch } from 'node:fs/promises'
import path from 'node:path'
import { describe, test } from 'node:test'
import { EVENTS_TOPIC } from '../../schemas/topics.ts'
import { lakeFolder } from '../../services/cli/site.ts'
import { assertSettled, readLake } from './checker.ts'
import { runStageProcess, startStage } from './child.ts'
import { ledgerOf } from './ledger.ts'
import { createStand, faultFolder, openScratchLog, settleAll } from './stand.ts'

const topic = EVENTS_TOPIC
const PARTITIONS = 2

/**
 * Sent again and again: DuckDB writes a group of 122,880 rows when it is full, two and then the rest. Between
 * the first and the second there is time enough to kill it on a busy machine, too.
 */
const ROUNDS = 14
/** Of one flush: most of what is sent. The readers stand at a cut when it is reached. */
const FLUSH_ROWS = '262144'
/** Bytes of the file at which its writer is killed: within the first two groups. */
const KILLED_AT_BYTES = 1_000_000

describe('a consumer killed inside the writing of a file', () => {
  test('leaves a torn file that no reader sees, and the next one lands all', async (t) => {
    const data = await faultFolder(t)
    const log = await openScratchLog(t, data, topic, PARTITIONS)
    const stand = await createStand(t, { log, topic, data })
    const lake = lakeFolder(stand)
    const ledger = ledgerOf('torn', 20_000)
    for (let round = 0; round < ROUNDS; round++) await log.append(topic, ledger.records)
    const env = { STAGE: 'serve', DATA: data, FLUSH_ROWS, FLUSH_MS: '600000' }
    const stage = startStage(env)
    t.after(() => stage.process.kill('SIGKILL'))
    const growing = grown(path.join(lake, 'events_raw'), KILLED_AT_BYTES)
    const torn = await Promise.race([growing, stage.failed])
    stage.process.kill('SIGKILL')
    assert.equal((await stage.ended).signal, 'SIGKILL')
    assert.equal(await isWhole(torn), false, `killed too late: ${torn} is whole`)
    assert.deepEqual((await readLake(data)).ranges, [])
    assert.deepEqual(await tornForReaders(lake), [])
    const { code, output } = await runStageProcess({ ...env, STAGE: 'consume' })
    assert.equal(code, 0, output)
    assert.equal((await readLake(data)).events['events'], ROUNDS * ledger.truth.records)
    await settleAll(stand)
    await assertSettled(data, ledger.truth)
    t.diagnostic(
      `seen: a file without an end; ${ledger.truth.events} events sent ${ROUNDS} times, all landed, 0 doubled`
    )
  })
})

/** Files that have a name which readers of Parquet look for, and no end. */
const tornForReaders = async (lake: string): Promise<string[]> => {
  const names = await readdir(lake, { recursive: true })
  const torn: string[] = []
  for (const name of names.filter((one) => one.endsWith('.parquet'))) {
    if (!(await isWhole(path.join(lake, name)))) torn.push(name)
  }
  return torn
}

const MAGIC = 'PAR1'

/** Whether a Parquet file has its end. */
const isWhole = async (file: string): Promise<boolean> => {
  const bytes = await readFile(file)
  return bytes.length > 2 * MAGIC.length && bytes.subarray(-MAGIC.length).toString() === MAGIC
}

/** Resolves with the first file in a folder that comes and has so many bytes. */
const grown = async (folder: string, bytes: number): Promise<string> => {
  await mkdir(folder, { recursive: true })
  const before = new Set(await readdir(folder))
  for await (const { filename } of watch(folder)) {
    if (filename === null || before.has(filename)) continue
    const file = path.join(folder, filename)
    const found = await stat(file).catch(() => null)
    if (found !== null && found.isFile() && found.size >= bytes) return file
  }
  throw new Error('unreachable')
}
