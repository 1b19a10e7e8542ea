import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { CHECKPOINT_EVERY, checkpointPath, lastCheckpointPath } from './delta-checkpoint.ts'
import { commitPath, logFolder } from './delta-log.ts'
import { nodeDisk, type Disk } from './disk.ts'
import { localFiles } from './local-files.ts'
import { headPath } from './saved-head.ts'
import {
  commitOf,
  flush,
  flushBare,
  openScratchLake,
  rangeOf,
  scratchFolder
} from './scratch-lake.ts'

/**
 * A power failure may take back the name of one file and leave that of the next. Another process may
 * have died between a name and the sync of its folder, for all we know: what is read is made durable
 * before anything is written that relies on it.
 */

/** The lake's files, and what was done to the names among them. */
const recorded = (folder: string) => {
  const acts: string[] = []
  const note = (act: string, target: string): void => {
    acts.push(`${act} ${path.relative(folder, target)}`)
  }
  const disk: Disk = {
    ...nodeDisk,
    syncFolder: async (target) => {
      await nodeDisk.syncFolder(target)
      note('sync', target)
    },
    link: async (from, to) => {
      note('link', to)
      return nodeDisk.link(from, to)
    },
    rename: async (from, to) => {
      note('rename', to)
      return nodeDisk.rename(from, to)
    }
  }
  return { acts, files: localFiles(folder, { disk }) }
}

const assertBefore = (acts: readonly string[], first: string, second: string): void => {
  const until = acts.indexOf(second)
  assert.ok(until > 0, `${second} is not in\n${acts.join('\n')}`)
  assert.ok(acts.slice(0, until).includes(first), `${first} is not in\n${acts.join('\n')}`)
}

test('a commit of another writer, before one on top of it', async (t) => {
  const folder = await scratchFolder(t)
  const { acts, files } = recorded(folder)
  const quick = await openScratchLake(folder)
  const slow = await openScratchLake(folder, { files })
  await slow.commit(async (head) => {
    if (head.version === 0) await flushBare(quick, 1)
    acts.length = 0
    return commitOf({ ranges: [rangeOf(0, 0, 3)] })
  })
  assertBefore(acts, `sync ${logFolder('ranges')}`, `link ${commitPath('ranges', 2)}`)
})

test("a commit of another writer in a table's log, before one on top of it", async (t) => {
  const folder = await scratchFolder(t)
  await flush(await openScratchLake(folder), 0, 1)
  const { acts, files } = recorded(folder)
  await flush(await openScratchLake(folder, { files }), 0, 1)
  assertBefore(acts, `sync ${logFolder('gaps')}`, `link ${commitPath('gaps', 2)}`)
})

test("a commit of another writer in a table's log, before a head is saved that says it", async (t) => {
  const folder = await scratchFolder(t)
  const quick = await openScratchLake(folder)
  for (let made = 1; made < CHECKPOINT_EVERY; made++) await flushBare(quick, 0)
  const { acts, files } = recorded(folder)
  await flush(quick, 1, 1)
  // It died before it could save the head itself.
  await files.delete(headPath(CHECKPOINT_EVERY))
  await openScratchLake(folder, { files })
  assertBefore(acts, `sync ${logFolder('gaps')}`, `rename ${headPath(CHECKPOINT_EVERY)}`)
})

test('a checkpoint of another writer, before it is named the last', async (t) => {
  const folder = await scratchFolder(t)
  const { acts, files } = recorded(folder)
  const lake = await openScratchLake(folder, { files })
  const checkpoint = checkpointPath('ranges', CHECKPOINT_EVERY)
  await files.putIfAbsent(checkpoint, Buffer.from('the same in other bytes'))
  for (let made = 1; made <= CHECKPOINT_EVERY; made++) await flushBare(lake, 0)
  const last = acts.slice(acts.lastIndexOf(`link ${checkpoint}`))
  assertBefore(last, `sync ${logFolder('ranges')}`, `rename ${lastCheckpointPath('ranges')}`)
})
