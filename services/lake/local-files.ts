import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { link, mkdir, open, readFile, readdir, rename, stat, unlink } from 'node:fs/promises'
import path from 'node:path'
import { Failure } from '../../schemas/failure.ts'
import { noCrash, type Step } from './crash-point.ts'
import { diskFailure, errorCode } from './disk-failure.ts'
import { UNFINISHED, type FileState, type Files, type Seal } from './files.ts'

type LocalOptions = { newId?: () => string; step?: Step }

/**
 * Storage in a local folder. Content is written under a name that no reader looks at, fsynced,
 * and then linked (never replaces) or renamed (replaces) to its own name; the folder is fsynced
 * last. A crash at any point leaves the old state or the new one, plus unfinished files.
 */
export const localFiles = (root: string, options: LocalOptions = {}): Files => {
  const place: Place = {
    full: (relative) => path.join(root, relative),
    newId: options.newId ?? randomUUID,
    step: options.step ?? noCrash
  }
  const { full, step } = place
  const guard = async <T>(action: string, relative: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw diskFailure(error, action, relative)
    }
  }
  // Only what changes something has steps: between two reads a crash leaves the same behind.
  const change = <T>(action: string, relative: string, work: () => Promise<T>): Promise<T> =>
    guard(action, relative, async () => {
      step(`${action}:start`)
      return work()
    })
  return {
    get: (relative) => guard('read', relative, () => orNull(readFile(full(relative)))),
    stat: (relative) => guard('stat', relative, () => fileState(full(relative))),
    list: (folder) => guard('list', folder, () => listFiles(root, folder)),
    seal: (relative) => guard('hash', relative, () => orNull(hashFile(full(relative)))),
    persist: (folder) => guard('persist', folder, () => syncFolder(full(folder))),
    location: full,
    scratch: (relative) => guard('prepare', relative, () => prepare(place, relative)),
    delete: (relative) => change('delete', relative, () => remove(place, relative)),
    put: (relative, bytes) => change('put', relative, () => replace(place, relative, bytes)),
    putIfAbsent: (relative, bytes) =>
      change('decide', relative, () => createOnce(place, relative, bytes)),
    publish: (local, relative) => change('publish', relative, () => publish(place, local, relative))
  }
}

type Place = { full: (relative: string) => string; newId: () => string; step: Step }

const remove = async ({ full, step }: Place, relative: string): Promise<void> => {
  await unlinkIfThere(full(relative))
  step('delete:done')
}

const replace = async (place: Place, relative: string, bytes: Uint8Array): Promise<void> => {
  const target = place.full(relative)
  const temporary = await writeTemporary(place, target, bytes)
  place.step('put:synced')
  await rename(temporary, target)
  place.step('put:renamed')
  await syncFolder(path.dirname(target))
  place.step('put:done')
}

const createOnce = async (place: Place, relative: string, bytes: Uint8Array): Promise<boolean> => {
  const target = place.full(relative)
  const temporary = await writeTemporary(place, target, bytes)
  place.step('decide:synced')
  const won = await linkUnlessThere(temporary, target)
  place.step(won ? 'decide:linked' : 'decide:lost')
  await unlinkIfThere(temporary)
  await syncFolder(path.dirname(target))
  place.step('decide:done')
  return won
}

const prepare = async ({ full, newId }: Place, relative: string): Promise<string> => {
  await ensureFolder(path.dirname(full(relative)))
  return `${full(relative)}.${newId()}${UNFINISHED}`
}

const publish = async ({ full, step }: Place, local: string, relative: string): Promise<Seal> => {
  const target = full(relative)
  const seal = await syncAndHash(local)
  step('publish:synced')
  if (!(await linkUnlessThere(local, target))) await refuseOther(target, seal)
  step('publish:linked')
  await unlinkIfThere(local)
  await syncFolder(path.dirname(target))
  step('publish:done')
  return seal
}

/** Writes bytes durably beside their target, under a name of this attempt's own. */
const writeTemporary = async (
  { newId, step }: Place,
  target: string,
  bytes: Uint8Array
): Promise<string> => {
  const folder = path.dirname(target)
  const temporary = path.join(folder, `.${newId()}${UNFINISHED}`)
  await ensureFolder(folder)
  try {
    await writeDurably(temporary, bytes, step)
  } catch (error) {
    // A full disk must not stay full of our own leavings; a dead process leaves them.
    step('write:cleanup')
    await unlinkIfThere(temporary)
    throw error
  }
  return temporary
}

const writeDurably = async (target: string, bytes: Uint8Array, step: Step): Promise<void> => {
  const handle = await open(target, 'wx')
  try {
    await handle.writeFile(bytes)
    step('write:written')
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const syncAndHash = async (target: string): Promise<Seal> => {
  const handle = await open(target, 'r+')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
  return hashFile(target)
}

const hashFile = async (target: string): Promise<Seal> => {
  const hash = createHash('sha256')
  let bytes = 0
  // 1 MiB reads keep the number of trips to the thread pool small for files of hundreds of MB.
  for await (const chunk of createReadStream(target, { highWaterMark: 1 << 20 })) {
    hash.update(chunk as Uint8Array)
    bytes += (chunk as Uint8Array).length
  }
  return { bytes, sha256: hash.digest('hex') }
}

const refuseOther = async (target: string, seal: Seal): Promise<void> => {
  const there = await hashFile(target)
  if (there.sha256 === seal.sha256) return
  throw new Failure('E_LAKE_CONFLICT', `${target} exists with other content`, {
    hint: 'Names of data files are used once; choose another.'
  })
}

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

/** Creates a folder and makes its name, and that of every parent it created, durable. */
const ensureFolder = async (folder: string): Promise<void> => {
  const created = await mkdir(folder, { recursive: true })
  if (created === undefined) return
  for (let parent = path.dirname(folder); parent.length >= path.dirname(created).length;) {
    await syncFolder(parent)
    if (parent === path.dirname(parent)) return
    parent = path.dirname(parent)
  }
}

const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const listFiles = async (root: string, folder: string): Promise<string[]> => {
  const start = path.join(root, folder)
  const entries = await orNull(readdir(start, { recursive: true, withFileTypes: true }))
  return (entries ?? [])
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .map((relative) => relative.split(path.sep).join('/'))
    .sort()
}

const fileState = async (target: string): Promise<FileState | null> => {
  const found = await orNull(stat(target))
  return found === null ? null : { bytes: found.size, modifiedMs: found.mtimeMs }
}

const unlinkIfThere = async (target: string): Promise<void> => {
  await orNull(unlink(target))
}

const orNull = async <T>(work: Promise<T>): Promise<T | null> => {
  try {
    return await work
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
}
