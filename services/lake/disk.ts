import { link, mkdir, open, readFile, readdir, rename, stat, unlink } from 'node:fs/promises'
import path from 'node:path'
import { diskFailure, errorCode } from './disk-failure.ts'
import type { FileState } from './files.ts'
import { createSealer, type Seal } from './seal.ts'

/**
 * What a file system is asked for: the single acts out of which `local-files.ts` makes writes that
 * are whole and durable. Nothing is durable before `sync` (content) and `syncFolder` (names), so a
 * simulated disk can lose exactly what was not asked to stay. Paths are absolute.
 */
export type Disk = {
  read: (path: string) => Promise<Uint8Array | null>
  stat: (path: string) => Promise<FileState | null>
  /** Files below a folder, relative to it, in no order; empty when there is no folder. */
  list: (folder: string) => Promise<string[]>
  hash: (path: string) => Promise<Seal | null>
  /** Writes a file that must not be there yet. */
  create: (path: string, bytes: Uint8Array) => Promise<void>
  sync: (path: string) => Promise<void>
  syncFolder: (path: string) => Promise<void>
  /** Gives a file a second name. @returns false when the name is taken: it is never replaced. */
  link: (from: string, to: string) => Promise<boolean>
  rename: (from: string, to: string) => Promise<void>
  /** Removes a name; nothing happens when there is none. */
  remove: (path: string) => Promise<void>
  /** Creates a folder and its parents. @returns the topmost one that was created; null when none. */
  makeFolder: (path: string) => Promise<string | null>
}

export const nodeDisk: Disk = {
  read: (target) => orNull(readFile(target)),
  stat: async (target) => {
    const found = await orNull(stat(target))
    return found === null ? null : { bytes: found.size, modifiedMs: found.mtimeMs }
  },
  list: (folder) => listFiles(folder),
  hash: (target) => orNull(hashFile(target)),
  create: async (target, bytes) => {
    const handle = await open(target, 'wx')
    try {
      await handle.writeFile(bytes)
    } finally {
      await handle.close()
    }
  },
  sync: (target) => syncOpened(target, 'r+'),
  syncFolder: (target) => syncOpened(target, 'r'),
  link: (from, to) => linkUnlessThere(from, to),
  rename,
  remove: async (target) => {
    await orNull(unlink(target))
  },
  makeFolder: async (target) => (await mkdir(target, { recursive: true })) ?? null
}

const syncOpened = async (target: string, flags: 'r' | 'r+'): Promise<void> => {
  const handle = await open(target, flags)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const hashFile = async (target: string): Promise<Seal> => {
  const sealer = createSealer()
  const handle = await open(target)
  try {
    // One piece of memory for the whole file: a stream takes a fresh one for each read.
    const memory = Buffer.allocUnsafe(HASHED_BYTES)
    for (;;) {
      const { bytesRead } = await handle.read(memory, 0, memory.length)
      if (bytesRead === 0) return sealer.seal()
      sealer.add(memory.subarray(0, bytesRead))
    }
  } finally {
    await handle.close()
  }
}

/** Large enough to keep the trips to the thread pool few for files of hundreds of MB. 1 MiB. */
const HASHED_BYTES = 1 << 20

/** Hard links decide: unlike rename, link never replaces, and it is atomic even over NFS. */
const linkUnlessThere = async (from: string, to: string): Promise<boolean> => {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw diskFailure(error, 'link', to)
  }
}

const listFiles = async (folder: string): Promise<string[]> => {
  const entries = await orNull(readdir(folder, { recursive: true, withFileTypes: true }))
  return (entries ?? [])
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .map((relative) => relative.split(path.sep).join('/'))
}

const orNull = async <T>(work: Promise<T>): Promise<T | null> => {
  try {
    return await work
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
}
