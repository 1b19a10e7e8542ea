import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { TABLES, type TableName } from '../../schemas/tables.ts'
import { readEntry } from './ranges-log.ts'
import {
  SCRATCH_ROOT,
  commitOf,
  deltaPaths,
  flush,
  gapSelect,
  headPaths,
  landRows,
  nextOf,
  openScratchLake,
  scratchFolder
} from './scratch-lake.ts'
import { scrub } from './scrub.ts'

const WRITER = fileURLToPath(new URL('./writer-process.ts', import.meta.url))

type Ending = { versions: number[]; signal: NodeJS.Signals | null; errors: string }

const runWriter = (...args: string[]): Promise<Ending> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'tsx', WRITER, ...args])
    let [output, errors] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
    child.on('error', reject)
    child.on('close', (_code, signal) =>
      resolve({ versions: JSON.parse(output || '[]') as number[], signal, errors })
    )
  })

const assertTablesFollow = async (folder: string): Promise<void> => {
  const lake = await openScratchLake(folder)
  const head = await lake.head()
  for (const table of Object.keys(TABLES) as TableName[]) {
    assert.deepEqual(await deltaPaths(lake.doors.files, table), headPaths(head, table), table)
  }
  assert.deepEqual((await scrub(lake.doors.files)).damages, [])
}

test('processes that commit at once decide each version once and lose none', async (t) => {
  const folder = await scratchFolder(t)
  await openScratchLake(folder)
  const commits = 20
  const endings = await Promise.all(
    ['0', '1', '2'].map((partition) => runWriter(folder, partition, String(commits)))
  )
  assert.deepEqual(
    endings.map(({ errors }) => errors),
    ['', '', '']
  )
  const versions = endings.flatMap((ending) => ending.versions).sort((a, b) => a - b)
  assert.deepEqual(
    versions,
    Array.from({ length: 3 * 2 * commits }, (_, index) => index + 1)
  )
  const lake = await openScratchLake(folder)
  const head = await lake.head()
  assert.equal(head.state.get('count'), 3 * commits)
  assert.deepEqual(
    [0, 1, 2, 9].map((partition) => nextOf(head, partition)),
    [commits, commits, commits, 3 * commits]
  )
  const attempts = new Set<string>()
  for (const version of versions) {
    attempts.add((await readEntry(lake.doors.files, version))?.attempt ?? '')
  }
  assert.equal(attempts.size, versions.length)
  await assertTablesFollow(folder)
})

/** Steps of a flush that lands one file, is the 50th commit, and so saves a head too. */
const STEPS = [
  'publish:start#1',
  'publish:synced#1',
  'publish:linked#1',
  'publish:done#2',
  'write:written#1',
  'decide:synced#1',
  'decide:linked#1',
  'decide:done#1',
  'decide:linked#2',
  'publish:linked#3',
  'put:synced#1',
  'put:renamed#1',
  'put:renamed#2'
]

describe('a process killed', () => {
  let grown = ''
  before(async () => {
    grown = await mkdtemp(path.join(SCRATCH_ROOT, 'lake-grown-'))
    const lake = await openScratchLake(grown)
    for (let commits = 0; commits < 49; commits++) {
      await lake.commit(() => commitOf({ kind: 'detect', state: { commits } }))
    }
  })
  after(() => rm(grown, { recursive: true }))

  const killAndRecover = async (folder: string, step: string): Promise<void> => {
    await cp(grown, folder, { recursive: true })
    const ending = await runWriter(folder, '0', '1', step)
    assert.equal(ending.signal, 'SIGKILL', `${step}: ${ending.errors}`)
    const heir = await openScratchLake(folder)
    const { version } = await heir.head()
    assert.ok(version === 49 || version === 50, `${step}: version ${version}`)
    await assertTablesFollow(folder)
    assert.equal(await flush(heir, 0, 1), version + 1)
    const head = await heir.head()
    assert.equal(nextOf(head, 0), version === 49 ? 1 : 2)
    assert.equal(head.files.get('gaps')?.size, version === 49 ? 1 : 2)
    await assertTablesFollow(folder)
  }

  test('at any step of a commit leaves a lake that the next one goes on with', async (t) => {
    const folder = await scratchFolder(t)
    const queue = [...STEPS]
    const work = async (): Promise<void> => {
      for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
        await killAndRecover(path.join(folder, step), step)
      }
    }
    // One child for each core that even a small machine has.
    await Promise.all([work(), work()])
  })
})

const mountSmall = async (folder: string): Promise<boolean> => {
  try {
    await promisify(execFile)('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder])
    return true
  } catch {
    return false
  }
}

test('a full disk stops commits with a retriable failure, and room lets them go on', async (t) => {
  const folder = await mkdtemp(path.join(SCRATCH_ROOT, 'lake-full-'))
  if (!(await mountSmall(folder))) {
    await rm(folder, { recursive: true })
    t.skip('mounting a small file system needs root')
    return
  }
  t.after(async () => {
    await promisify(execFile)('umount', ['-l', folder])
    await rm(folder, { recursive: true, force: true })
  })
  const lake = await openScratchLake(folder)
  await flush(lake, 0, 1)
  const file = await landRows(lake, 'gaps', gapSelect(1, 1), 1)
  await promisify(execFile)('sh', ['-c', 'dd if=/dev/zero of="$0/filler" bs=4k 2>&1 || :', folder])
  for (const attempt of [
    () => lake.commit(() => commitOf({ kind: 'detect', adds: [file] })),
    () => lake.doors.files.put('x', new Uint8Array(8192))
  ]) {
    await assert.rejects(attempt(), { code: 'E_DISK_FULL', retriable: true })
  }
  assert.equal((await lake.head()).version, 1)
  await rm(path.join(folder, 'filler'))
  assert.equal(await lake.commit(() => commitOf({ kind: 'detect', adds: [file] })), 2)
  const leavings = (await lake.doors.files.list('')).filter((name) => name.includes('inprogress'))
  assert.deepEqual(leavings, [])
  await assertTablesFollow(folder)
})
