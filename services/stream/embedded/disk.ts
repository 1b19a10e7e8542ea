import { statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../../../schemas/failure.ts'

/** What the log has to know of its disk. */
export type Disk = {
  /** Bytes that the device has left for us. */
  freeBytes: () => number
  /** Bytes that the log's file takes. */
  fileBytes: () => number
}

/**
 * Left alone on the device: removing records also writes before it frees anything, so a log that
 * had filled its disk could never be emptied again.
 */
export const RESERVE_BYTES = 16 * 1024 * 1024
/** Upper bound of what a batch takes in pages of LMDB, against its own size. */
const PAGES_PER_BYTE = 2

export const openDisk = (folder: string): Disk => ({
  freeBytes: () => {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize
  },
  fileBytes: () => statSync(join(folder, 'data.mdb'), { throwIfNoEntry: false })?.size ?? 0
})

/**
 * Refuses to grow into the reserve. Pages that removed records left in the file are used again.
 * @throws Failure E_DISK_FULL
 */
export const checkDisk = (disk: Disk, added: number, held: number): void => {
  const free = disk.freeBytes()
  const reusable = Math.max(disk.fileBytes() - held * PAGES_PER_BYTE, 0)
  if (added * PAGES_PER_BYTE + RESERVE_BYTES <= free + reusable) return
  throw new Failure('E_DISK_FULL', `the log's device has ${free} bytes left`, {
    retriable: true,
    hint: 'Free space on the device, or shorten the retention of the log.'
  })
}
