import type { Seal } from './seal.ts'

/**
 * The port through which the lake touches storage: narrow enough for an object store with
 * put-if-absent. Paths are relative to the lake and use `/`. Every write is whole or not there at
 * all, and durable when its promise resolves.
 *
 * All methods throw Failure E_DISK_FULL (retriable) when there is no room and E_INTERNAL for
 * other faults of the device.
 */
export type Files = {
  /** The bytes of a file; null when there is none. */
  get: (path: string) => Promise<Uint8Array | null>
  /** Writes a small file, replacing what was there in one step. */
  put: (path: string, bytes: Uint8Array) => Promise<void>
  /**
   * Writes a small file unless one is there; of several callers at most one wins.
   * @returns whether this call wrote it.
   */
  putIfAbsent: (path: string, bytes: Uint8Array) => Promise<boolean>
  /** Paths of all files below a folder, sorted; unfinished ones included. Empty when no folder. */
  list: (folder: string) => Promise<string[]>
  /** Size and age of a file; null when there is none. */
  stat: (path: string) => Promise<FileState | null>
  /** Removes a file; nothing happens when there is none. */
  delete: (path: string) => Promise<void>
  /**
   * A local name, used once, to write a big file to before it is published as `path`. No reader
   * looks at it; its folder exists when this resolves.
   */
  scratch: (path: string) => Promise<string>
  /**
   * Makes a finished scratch file durable and visible as `path`. Never replaces a file: an equal
   * one is kept, a different one is a Failure E_LAKE_CONFLICT.
   */
  publish: (local: string, path: string) => Promise<Seal>
  /** Size and sums of a file as it is stored now; null when there is none. */
  seal: (path: string) => Promise<Seal | null>
  /** Makes names durable that another process wrote into a folder. */
  persist: (folder: string) => Promise<void>
  /** What an engine opens to read the file. */
  location: (path: string) => string
}

export type FileState = { bytes: number; modifiedMs: number }

/** Ends the name of every file that is not finished. */
export const UNFINISHED = '.inprogress'
