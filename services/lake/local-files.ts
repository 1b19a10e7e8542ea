import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { Failure } from '../../schemas/failure.ts'
import { noCrash, type Step } from './crash-point.ts'
import { diskFailure, errorCode } from './disk-failure.ts'
import { nodeDisk, type Disk } from './disk.ts'
import { UNFINISHED, type Files } from './files.ts'
import type { Seal } from './seal.ts'

type LocalOptions = { newId?: () => string; step?: Step; disk?: Disk }

/**
 * Storage in a local folder. Content is written under a name that no reader looks at, fsynced,
 * and then linked (never replaces) or renamed (replaces) to its own name; the folder is fsynced
 * last. A crash at any point leaves the old state or the new one, plus unfinished files.
 */
export const localFiles = (root: string, options: LocalOptions = {}): Files => {
  const place: Place = {
    full: (relative) => path.join(root, relative),
    newId: options.newId ?? randomUUID,
    step: options.step ?? noCrash,
    disk: options.disk ?? nodeDisk,
    durable: new Set()
  }
  const { full, step, disk } = place
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
    get: (relative) => guard('read', relative, () => disk.read(full(relative))),
    stat: (relative) => guard('stat', relative, () => disk.stat(full(relative))),
    list: (folder) => guard('list', folder, () => listFiles(place, folder)),
    seal: (relative) => guard('hash', relative, () => disk.hash(full(relative))),
    persist: (folder) => guard('persist', folder, () => disk.syncFolder(full(folder))),
    location: full,
    scratch: (relative) => guard('prepare', relative, () => prepare(place, relative)),
    delete: (relative) => change('delete', relative, () => remove(place, relative)),
    put: (relative, bytes) => change('put', relative, () => replace(place, relative, bytes)),
    putIfAbsent: (relative, bytes) =>
      change('decide', relative, () => createOnce(place, relative, bytes)),
    publish: (local, relative) => change('publish', relative, () => publish(place, local, relative))
  }
}

type Place = {
  full: (relative: string) => string
  newId: () => string
  step: Step
  disk: Disk
  /** Folders whose names, and those of their parents, this process made durable. */
  durable: Set<string>
}

const listFiles = async ({ disk, full }: Place, folder: string): Promise<string[]> =>
  (await disk.list(full(folder))).map((name) => path.posix.join(folder, name)).sort()

const remove = async ({ full, step, disk }: Place, relative: string): Promise<void> => {
  await disk.remove(full(relative))
  step('delete:done')
}

const replace = async (place: Place, relative: string, bytes: Uint8Array): Promise<void> => {
  const { disk, step } = place
  const target = place.full(relative)
  const temporary = await writeTemporary(place, target, bytes)
  step('put:synced')
  await disk.rename(temporary, target)
  step('put:renamed')
  await disk.syncFolder(path.dirname(target))
  step('put:done')
}

const createOnce = async (place: Place, relative: string, bytes: Uint8Array): Promise<boolean> => {
  const { disk, step } = place
  const target = place.full(relative)
  const temporary = await writeTemporary(place, target, bytes)
  step('decide:synced')
  const won = await disk.link(temporary, target)
  step(won ? 'decide:linked' : 'decide:lost')
  await disk.remove(temporary)
  await disk.syncFolder(path.dirname(target))
  step('decide:done')
  return won
}

const prepare = async (place: Place, relative: string): Promise<string> => {
  const target = place.full(relative)
  await ensureFolder(place, path.dirname(target))
  return `${target}.${place.newId()}${UNFINISHED}`
}

const publish = async (place: Place, local: string, relative: string): Promise<Seal> => {
  const { disk, step } = place
  const target = place.full(relative)
  await disk.sync(local)
  const seal = await sealOf(disk, local)
  step('publish:synced')
  if (!(await disk.link(local, target))) await refuseOther(disk, target, seal)
  step('publish:linked')
  await disk.remove(local)
  await disk.syncFolder(path.dirname(target))
  step('publish:done')
  return seal
}

/** Writes bytes durably beside their target, under a name of this attempt's own. */
const writeTemporary = async (place: Place, target: string, bytes: Uint8Array): Promise<string> => {
  const { disk, newId, step } = place
  const folder = path.dirname(target)
  const temporary = path.join(folder, `.${newId()}${UNFINISHED}`)
  await ensureFolder(place, folder)
  try {
    await disk.create(temporary, bytes)
    step('write:written')
    await disk.sync(temporary)
  } catch (error) {
    // A full disk must not stay full of our own leavings; a dead process leaves them.
    step('write:cleanup')
    await disk.remove(temporary)
    throw error
  }
  return temporary
}

const sealOf = async (disk: Disk, target: string): Promise<Seal> => {
  const seal = await disk.hash(target)
  if (seal !== null) return seal
  throw new Failure('E_INTERNAL', `${target} is gone while it was being published`)
}

const refuseOther = async (disk: Disk, target: string, seal: Seal): Promise<void> => {
  const there = await sealOf(disk, target)
  if (there.sha256 === seal.sha256) return
  throw new Failure('E_LAKE_CONFLICT', `${target} exists with other content`, {
    hint: 'Names of data files are used once; choose another.'
  })
}

/**
 * Creates a folder and makes its name durable, and those of its parents. A folder that is there
 * already may have been made by a process that died before it could do so.
 */
const ensureFolder = async (place: Place, folder: string): Promise<void> => {
  const { disk, durable, full } = place
  if (durable.has(folder)) return
  const root = path.resolve(full(''))
  const created = await disk.makeFolder(folder)
  const top = created !== null && created.length < root.length ? created : root
  for (let name = folder; name.length >= top.length && !durable.has(name);) {
    const parent = path.dirname(name)
    await syncName(place, parent, created === null && name === root)
    durable.add(name)
    if (parent === name) return
    name = parent
  }
}

/** What holds the lake's folder may be closed to us: then whoever made the folder saw to it. */
const syncName = async ({ disk }: Place, parent: string, isOthers: boolean): Promise<void> => {
  try {
    await disk.syncFolder(parent)
  } catch (error) {
    if (!isOthers || errorCode(error) !== 'EACCES') throw error
  }
}
