import { mkdtemp, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { startLanding } from '../consume/landing-thread.ts'
import { replay, type ReplayStep } from '../consume/replay.ts'
import type { TableFile } from '../lake/commit.ts'
import { Engine } from '../lake/engine.ts'
import type { Files } from '../lake/files.ts'
import { fileKey } from '../lake/head.ts'
import { parquetWriter } from '../lake/land-table.ts'
import { localFiles } from '../lake/local-files.ts'
import { mendBit } from '../lake/mend.ts'
import { rangesSelect } from '../lake/parquet-writer.ts'
import { RANGES, readEntry } from '../lake/ranges-log.ts'
import { sealOf } from '../lake/seal.ts'
import { scrub, type Damage, type ScrubReport } from '../lake/scrub.ts'
import { lakeFolder, openLog, type SiteOptions } from './site.ts'

export type Mended = { table: string; path: string; by: 'bit' | 'replay' }

export type MendReport = { mended: Mended[]; after: ScrubReport }

/**
 * Makes damaged files whole again, byte for byte: the one bit that flipped is found by the file's
 * sums; what is missing, cut or changed further is landed again from the log, with the cuts of the
 * commit that added it, and put back when its hash is the recorded one.
 */
export const mendLake = async (place: SiteOptions): Promise<MendReport> => {
  const files = localFiles(lakeFolder(place))
  const mended: Mended[] = []
  let report = await scrub(files)
  // A damaged commit hides the data files behind it: they are seen once it is whole.
  while (await mendBits(files, report.damages, mended)) report = await scrub(files)
  for (const [version, damages] of byFlush(report.damages)) {
    mended.push(...(await landAgain(place, version, damages)))
  }
  return { mended, after: await scrub(files) }
}

const mendBits = async (
  files: Files,
  damages: readonly Damage[],
  mended: Mended[]
): Promise<boolean> => {
  const before = mended.length
  for (const damage of damages) {
    const { table, path: file } = damage
    if (await mendBit(files, damage)) mended.push({ table, path: file, by: 'bit' })
  }
  return mended.length > before
}

/** What came out of the log, by the version of the commit that landed it. */
const byFlush = (damages: readonly Damage[]): Map<number, Damage[]> => {
  const flushes = new Map<number, Damage[]>()
  for (const damage of damages) {
    if (damage.kind !== 'flush' || damage.version === null) continue
    flushes.set(damage.version, [...(flushes.get(damage.version) ?? []), damage])
  }
  return flushes
}

/** Lands one flush again in a folder of its own, and takes over what came out the same. */
const landAgain = async (
  place: SiteOptions,
  version: number,
  damages: readonly Damage[]
): Promise<Mended[]> => {
  const files = localFiles(lakeFolder(place))
  const commit = (await readEntry(files, version))?.commit
  if (commit === undefined) return []
  const workshop = await mkdtemp(path.join(place.data, 'mend-'))
  try {
    await landRanges(place, workshop, { kind: 'flush', ranges: commit.ranges })
    const local = path.join(workshop, 'ranges.parquet')
    await writeRanges(rangesSelect(commit), local)
    const landed = new Map([[RANGES, local], ...(await landedFiles(workshop))])
    const mended: Mended[] = []
    for (const damage of damages) {
      const wanted = commit.adds.find((file) => fileKey(file) === fileKey(damage))
      if (wanted !== undefined && (await takeOver(files, wanted, landed.get(damage.table)))) {
        mended.push({ table: damage.table, path: damage.path, by: 'replay' })
      }
    }
    return mended
  } finally {
    await rm(workshop, { recursive: true, force: true })
  }
}

const landRanges = async (
  place: SiteOptions,
  workshop: string,
  step: ReplayStep
): Promise<void> => {
  const log = openLog(place)
  const landing = startLanding({ dir: workshop, crashAt: null })
  try {
    await replay({ log, landing }, [step])
    await landing.close()
  } finally {
    await landing.terminate()
    await log.close()
  }
}

const writeRanges = async (select: string, local: string): Promise<void> => {
  const engine = await Engine.open()
  try {
    await parquetWriter(engine)(select, local)
  } finally {
    engine.close()
  }
}

/** The file of each table that the one flush in a workshop landed. */
const landedFiles = async (workshop: string): Promise<[string, string][]> => {
  const files = localFiles(workshop)
  for (let version = 0; ; version++) {
    const entry = await readEntry(files, version)
    if (entry === null) return []
    if (entry.commit.kind !== 'flush') continue
    return entry.commit.adds
      .filter(({ table }) => table !== RANGES)
      .map((file) => [file.table, files.location(fileKey(file))])
  }
}

/** Puts a file back when it is the recorded one; another build may have landed other bytes. */
const takeOver = async (
  files: Files,
  wanted: TableFile,
  local: string | undefined
): Promise<boolean> => {
  if (local === undefined) return false
  const bytes = await readFile(local)
  if (sealOf(bytes).sha256 !== wanted.sha256) return false
  await files.put(fileKey(wanted), bytes)
  return true
}
