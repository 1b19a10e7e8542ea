import { Failure } from '../../schemas/failure.ts'
import type { TableFile } from '../lake/commit.ts'
import { startLanding } from '../consume/landing-thread.ts'
import { replay } from '../consume/replay.ts'
import { replaySteps, type PastStep } from '../consume/replay-steps.ts'
import { lakeFolder, openLakeSite, openLog, type SiteOptions } from './site.ts'

/** How a lake that was landed anew compares with the one that gave the cuts. */
export type ReplayReport = {
  /** First and last version of the old lake that was replayed; null = nothing was to replay. */
  versions: [number, number] | null
  flushes: number
  /** Files that came out byte for byte the same. */
  identicalFiles: number
  differences: FileDifference[]
}

export type FileDifference = {
  /** Version of the old lake. */
  version: number
  table: string
  /** SHA-256 in hexadecimal; null = no such file. */
  before: string | null
  after: string | null
  /** Landed by another code, price book or engine than this one: other bytes are no surprise. */
  sameGeneration: boolean
}

/** Lands the log of `from` into the empty lake of `to`, with the cuts of the lake of `from`. */
export const replayLake = async (from: SiteOptions, to: SiteOptions): Promise<ReplayReport> => {
  const past = await readPast(from)
  await requireEmpty(to)
  const log = openLog(from)
  const landing = startLanding({ dir: lakeFolder(to), crashAt: null })
  try {
    await replay(
      { log, landing },
      past.map(({ step }) => step)
    )
    await landing.close()
  } finally {
    await landing.terminate()
    await log.close()
  }
  return compare(past, await readPast(to))
}

const readPast = async (place: SiteOptions): Promise<PastStep[]> => {
  const site = await openLakeSite(place)
  try {
    return await replaySteps(site)
  } finally {
    site.close()
  }
}

const requireEmpty = async (place: SiteOptions): Promise<void> => {
  const site = await openLakeSite(place, true)
  try {
    const { positions } = await site.lake.head()
    if (positions.size === 0) return
    throw new Failure('E_USAGE', `${lakeFolder(place)} holds rows already`, {
      hint: 'Replay into a folder of its own.'
    })
  } finally {
    site.close()
  }
}

const compare = (before: readonly PastStep[], after: readonly PastStep[]): ReplayReport => {
  if (before.length !== after.length) {
    throw new Failure('E_INTERNAL', `${before.length} commits were replayed as ${after.length}`)
  }
  const report: ReplayReport = {
    versions: before.length === 0 ? null : [before[0]!.version, before.at(-1)!.version],
    flushes: before.filter(({ step }) => step.kind === 'flush').length,
    identicalFiles: 0,
    differences: []
  }
  before.forEach((old, index) => compareFiles(old, after[index]!, report))
  return report
}

/** A commit has one file per table; `ranges` describes the commit and is no content. */
const compareFiles = (old: PastStep, anew: PastStep, report: ReplayReport): void => {
  const before = hashes(old.files)
  const after = hashes(anew.files)
  const sameGeneration = old.generation === anew.generation
  for (const table of new Set([...before.keys(), ...after.keys()])) {
    const pair = { before: before.get(table) ?? null, after: after.get(table) ?? null }
    if (pair.before === pair.after) report.identicalFiles += 1
    else report.differences.push({ version: old.version, table, ...pair, sameGeneration })
  }
}

const hashes = (files: readonly TableFile[]): Map<string, string> =>
  new Map(
    files.filter(({ table }) => table !== 'ranges').map(({ table, sha256 }) => [table, sha256])
  )
