import { setTimeout as sleep } from 'node:timers/promises'
import { nodeDisk, type Disk } from '../../../services/lake/disk.ts'

/** The disk, each sync of which takes so much longer. */
export const slowDisk = (syncMs: number): Disk => {
  const late =
    (sync: (target: string) => Promise<void>) =>
    async (target: string): Promise<void> => {
      await sleep(syncMs)
      await sync(target)
    }
  return { ...nodeDisk, sync: late(nodeDisk.sync), syncFolder: late(nodeDisk.syncFolder) }
}
