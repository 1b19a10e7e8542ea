import type { Lake } from '../../services/lake/lake.ts'
import { mergeSmallFiles } from '../../services/lake/merge.ts'
import { retain as removeUnneeded, type RetainReport } from '../../services/lake/retain.ts'

export type UpkeepReport = RetainReport & {
  /** Small files that were merged into larger ones. */
  mergedFiles: number
}

/**
 * Keeps a lake small: merges the files of many flushes, then removes what nothing refers to any
 * more. What a merge replaces today is removed by a run a week from now.
 */
export const keepSmall = async (lake: Lake): Promise<UpkeepReport> => {
  const mergedFiles = await mergeSmallFiles(lake)
  return { mergedFiles, ...(await removeUnneeded(lake)) }
}
