import path from 'node:path'
import { sealOf, type Seal } from '../../services/lake/seal.ts'
import type { Disk } from '../../services/lake/disk.ts'
import { diskFailure } from '../../services/lake/disk-failure.ts'
import type { Random } from '../worlds/random.ts'
import type { Turn } from './scheduler.ts'

type FileNode = { kind: 'file'; bytes: Uint8Array; synced: Uint8Array; modifiedMs: number }
type Node = FileNode | { kind: 'folder' }

/** Promises that a disk breaks, for planted bugs. */
export type DiskBugs = { skipsSync?: boolean; skipsFolderSync?: boolean; linkReplaces?: boolean }

const NOTHING = new Uint8Array(0)

/**
 * A file system in memory that keeps, beside what programs see, what a power cut would leave: content
 * since its last `sync` and names since their folder's last `syncFolder` may or may not survive,
 * each for itself. That is what POSIX allows, and harsher than any one file system.
 */
export class SimDisk {
  #seen = new Map<string, Node>([['/', { kind: 'folder' }]])
  #durable = new Map(this.#seen)
  readonly #bugs: DiskBugs
  readonly #nowMs: () => number
  isFull = false
  /** A folder whose syncs hang: names in it are seen, others build on them, and none gets durable. */
  hung: string | null = null

  constructor(nowMs: () => number, bugs: DiskBugs = {}) {
    this.#nowMs = nowMs
    this.#bugs = bugs
  }

  /** The disk as one process uses it: each act waits for the process's turn. */
  door(turn: Turn): Disk {
    return {
      read: async (target) => (await turn(`read ${target}`), this.#file(target)?.bytes ?? null),
      stat: async (target) => (await turn(`stat ${target}`), this.#stat(target)),
      list: async (folder) => (await turn(`list ${folder}`), this.#list(folder)),
      hash: async (target) => (await turn(`hash ${target}`), this.#hash(target)),
      create: async (target, bytes) => (
        await turn(`create ${target}`),
        this.#create(target, bytes)
      ),
      sync: async (target) => (await turn(`sync ${target}`), this.#sync(target)),
      syncFolder: async (folder) => (
        await turn(`sync folder ${folder}`, () => this.hung !== folder),
        this.#syncFolder(folder)
      ),
      link: async (from, to) => (await turn(`link ${to}`), this.#link(from, to)),
      rename: async (from, to) => (await turn(`rename to ${to}`), this.#rename(from, to)),
      remove: async (target) => (await turn(`remove ${target}`), void this.#seen.delete(target)),
      makeFolder: async (folder) => (await turn(`make folder ${folder}`), this.#makeFolder(folder))
    }
  }

  /** What is left after the power went: everything durable, and any part of the rest. */
  cutPower(random: Random): void {
    const left = new Map(this.#durable)
    for (const name of new Set([...this.#seen.keys(), ...left.keys()])) {
      if (this.#seen.get(name) === left.get(name) || random.uniform() < 0.5) continue
      const node = this.#seen.get(name)
      if (node === undefined) left.delete(name)
      else left.set(name, node)
    }
    for (const name of [...left.keys()].sort()) {
      if (left.get(path.dirname(name))?.kind !== 'folder') left.delete(name)
    }
    for (const node of new Set(left.values())) if (node.kind === 'file') weather(node, random)
    this.#seen = left
    this.#durable = new Map(left)
    this.hung = null
  }

  #file(target: string): FileNode | null {
    const node = this.#seen.get(target)
    return node?.kind === 'file' ? node : null
  }

  #stat(target: string): { bytes: number; modifiedMs: number } | null {
    const file = this.#file(target)
    return file === null ? null : { bytes: file.bytes.length, modifiedMs: file.modifiedMs }
  }

  #hash(target: string): Seal | null {
    const file = this.#file(target)
    return file === null ? null : sealOf(file.bytes)
  }

  #list(folder: string): string[] {
    const start = folder.endsWith('/') ? folder : `${folder}/`
    const names: string[] = []
    for (const [name, { kind }] of this.#seen) {
      if (kind === 'file' && name.startsWith(start)) names.push(name.slice(start.length))
    }
    return names
  }

  #create(target: string, bytes: Uint8Array): void {
    if (this.#seen.get(path.dirname(target))?.kind !== 'folder') throw fault('ENOENT', target)
    if (this.#seen.has(target)) throw fault('EEXIST', target)
    if (this.isFull) throw fault('ENOSPC', target)
    const node: Node = { kind: 'file', bytes, synced: NOTHING, modifiedMs: this.#nowMs() }
    this.#seen.set(target, node)
  }

  #sync(target: string): void {
    const file = this.#file(target)
    if (file === null) throw fault('ENOENT', target)
    if (this.#bugs.skipsSync !== true) file.synced = file.bytes
  }

  #syncFolder(folder: string): void {
    if (this.#bugs.skipsFolderSync === true) return
    const start = folder === '/' ? folder : `${folder}/`
    const isIn = (name: string): boolean =>
      name.startsWith(start) && name.length > start.length && !name.includes('/', start.length)
    for (const [name, node] of this.#seen) if (isIn(name)) this.#durable.set(name, node)
    for (const name of this.#durable.keys()) {
      if (isIn(name) && !this.#seen.has(name)) this.#durable.delete(name)
    }
  }

  #link(from: string, to: string): boolean {
    const node = this.#seen.get(from)
    if (node === undefined) throw fault('ENOENT', from)
    if (this.#seen.has(to) && this.#bugs.linkReplaces !== true) return false
    this.#seen.set(to, node)
    return true
  }

  #rename(from: string, to: string): void {
    const node = this.#seen.get(from)
    if (node === undefined) throw fault('ENOENT', from)
    this.#seen.set(to, node)
    this.#seen.delete(from)
  }

  #makeFolder(folder: string): string | null {
    if (this.#seen.has(folder)) return null
    const above = this.#makeFolder(path.dirname(folder))
    this.#seen.set(folder, { kind: 'folder' })
    return above ?? folder
  }
}

/** Writes a scratch file as an engine does: not synced, and a full disk is a Failure. */
export const writeScratch = async (disk: Disk, local: string, text: string): Promise<void> => {
  try {
    await disk.create(local, Buffer.from(text))
  } catch (error) {
    throw diskFailure(error, 'write', local)
  }
}

/** Content that was not synced stays whole, is cut short, or goes back to what was synced. */
const weather = (file: FileNode, random: Random): void => {
  if (file.bytes !== file.synced) {
    const fate = random.integer(0, 3)
    if (fate === 1) file.bytes = file.bytes.slice(0, random.integer(0, file.bytes.length + 1))
    if (fate === 2) file.bytes = file.synced
  }
  file.synced = file.bytes
}

const fault = (code: string, target: string): Error =>
  Object.assign(new Error(`${code}: ${target}`), { code })
