import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { EmbeddedLog } from './log.ts'

/**
 * Bits that flip in the file of a log that is at rest, each told or harmless. LMDB believes the
 * headers of its own pages, so a few flips end the process that reads them: loud, but not clear.
 */

const TOPIC = 'usage'
const PARTITIONS = 2
const FLIPS = 150
const FILE = 'data.mdb'
/** Pages of LMDB on this machine, as it takes them from the system. */
const PAGE_BYTES = 4096
const SEED = 20261129
/** Headers are less than a hundredth of a file. */
const CRASH_SHARE_MAX = 0.02

const folder = mkdtempSync(path.join(tmpdir(), 'tallystream-flips-'))
const children = new Set<ChildProcess>()
after(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true })
})

/** A process that reads the log in each folder it is told, and says what it saw: LMDB may end it. */
const READER = `
  import { createInterface } from 'node:readline'
  import { EmbeddedLog } from '${new URL('./log.ts', import.meta.url).href}'
  import { readAll, valuesOf } from '${new URL('../conformance/case.ts', import.meta.url).href}'
  const look = async (folder) => {
    const seen = { values: [], faults: 0, code: null }
    try {
      const log = new EmbeddedLog(folder)
      for (const { partition } of await log.partitions('${TOPIC}')) {
        for (const run of await readAll(log, { topic: '${TOPIC}', partition })) {
          seen.faults += run.faults.length
          for (const value of valuesOf(run)) seen.values.push(partition + ' ' + value)
        }
      }
      await log.close()
    } catch (error) {
      seen.code = String(error.code)
    }
    return seen
  }
  for await (const folder of createInterface({ input: process.stdin })) {
    process.stdout.write(JSON.stringify(await look(folder)) + '\\n')
  }
`

type Seen = { values: string[]; faults: number; code: string | null }

type Reader = (folder: string) => Promise<Seen | 'crash'>

const startReader = (): Reader => {
  const command = ['--import', 'tsx', '--input-type=module', '--eval', READER]
  const child = spawn(process.execPath, command, { stdio: ['pipe', 'pipe', 'inherit'] })
  children.add(child)
  const lines = createInterface({ input: child.stdout })
  const ended = once(child, 'exit').then(() => 'crash' as const)
  return async (place) => {
    child.stdin.write(`${place}\n`)
    const answer = await Promise.race([once(lines, 'line'), ended])
    return answer === 'crash' ? answer : (JSON.parse(String(answer[0])) as Seen)
  }
}

/** A log whose file is the same in every run, and its values. */
const writeLog = async (place: string): Promise<string[]> => {
  const now = (): Date => new Date('2026-03-02T00:00:00Z')
  const log = new EmbeddedLog(place, { now, createIncarnation: () => 'incarnation' })
  await log.ensureTopic(TOPIC, PARTITIONS)
  for (let batch = 0; batch < 60; batch++) {
    const records = Array.from({ length: 20 }, (_, index) => ({
      key: `key-${index}`,
      value: Buffer.from(`value-${batch}-${index} `.padEnd(100, '.'))
    }))
    await log.append(TOPIC, records)
  }
  await log.close()
  const seen = await startReader()(place)
  assert.ok(seen !== 'crash')
  assert.deepEqual([seen.faults, seen.code, seen.values.length], [0, null, 1_200])
  return seen.values
}

/** Numerical Recipes' linear congruential generator. */
const drawing = (seed: number) => {
  let state = seed
  return (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

test('a flipped bit at rest is told, and no record changes, goes or comes twice unsaid', async (t) => {
  const place = path.join(folder, 'whole')
  const whole = await writeLog(place)
  const known = new Set(whole)
  const bytes = readFileSync(path.join(place, FILE))
  const draw = drawing(SEED)
  let read = startReader()
  const told = { faults: 0, code: 0, nothing: 0, crash: 0 }
  for (let flip = 0; flip < FLIPS; flip++) {
    const damaged = path.join(folder, `flip-${flip}`)
    mkdirSync(damaged)
    const at = draw(bytes.length)
    const copy = Buffer.from(bytes)
    copy[at]! ^= 1 << draw(8)
    writeFileSync(path.join(damaged, FILE), copy)
    const seen = await read(damaged)
    rmSync(damaged, { recursive: true })
    if (seen === 'crash') {
      told.crash += 1
      read = startReader()
      continue
    }
    const { values, faults, code } = seen
    const where = `bit of byte ${at % PAGE_BYTES} of page ${Math.floor(at / PAGE_BYTES)}`
    assert.ok(
      values.every((value) => known.has(value)),
      `${where}: a record changed unsaid`
    )
    assert.equal(new Set(values).size, values.length, `${where}: a record came twice`)
    if (code !== null) assert.match(code, /^E_LOG_/, where)
    const isSaid = faults > 0 || code !== null
    assert.ok(isSaid || values.length === whole.length, `${where}: records went unsaid`)
    told[code !== null ? 'code' : faults > 0 ? 'faults' : 'nothing'] += 1
  }
  t.diagnostic(JSON.stringify(told))
  assert.ok(told.crash <= FLIPS * CRASH_SHARE_MAX, `${told.crash} of ${FLIPS} flips end the reader`)
  assert.ok(told.faults > FLIPS / 5, `only ${told.faults} of ${FLIPS} flips hit a record`)
})

test('a partition whose row is gone, or ends too early, is no shorter log', async () => {
  const place = path.join(folder, 'rows')
  await writeLog(place)
  const file = path.join(place, FILE)
  const bytes = readFileSync(file)
  const row = Buffer.from('"end":')
  let found = 0
  for (let at = bytes.indexOf(row); at !== -1; at = bytes.indexOf(row, at + 1)) {
    // Each page may be an older copy: all of them are changed, the newest among them.
    bytes[at + row.length]! ^= 1
    found += 1
  }
  assert.ok(found > 0)
  const damaged = path.join(folder, 'short')
  mkdirSync(damaged)
  copyFileSync(file, path.join(damaged, FILE))
  writeFileSync(path.join(damaged, FILE), bytes)
  const seen = await startReader()(damaged)
  assert.deepEqual(seen, { values: [], faults: 0, code: 'E_LOG_CORRUPT' })
})
