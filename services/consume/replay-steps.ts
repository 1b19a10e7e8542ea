import { z } from 'zod'
import { Failure } from '../../schemas/failure.ts'
import type { Range, TableFile } from '../lake/commit.ts'
import type { Engine } from '../lake/engine.ts'
import type { Lake } from '../lake/lake.ts'
import { quoted } from '../lake/parquet-writer.ts'
import { readEntry } from '../lake/ranges-log.ts'
import type { Gap } from './gap.ts'
import type { ReplayStep } from './replay.ts'

/** A commit that moved positions, and the files that it landed. */
export type PastStep = {
  version: number
  generation: string
  step: ReplayStep
  files: readonly TableFile[]
}

type Doors = { engine: Engine; lake: Lake }

/**
 * The commits of a lake that moved its positions, in order. Those that cleaning has removed are
 * left out: their records have left the log too.
 */
export const replaySteps = async (doors: Doors): Promise<PastStep[]> => {
  const { version } = await doors.lake.head()
  const steps: PastStep[] = []
  const positions = new Map<string, Range>()
  for (let at = 0; at <= version; at++) {
    const entry = await readEntry(doors.lake.doors.files, at)
    if (entry === null || entry.commit.ranges.length === 0) continue
    const { kind, generation, ranges, adds: files } = entry.commit
    if (kind !== 'flush' && kind !== 'adopt') continue
    const step: ReplayStep =
      kind === 'flush' ? { kind, ranges } : await adoption(doors, positions, { ranges, files })
    steps.push({ version: at, generation, step, files })
    for (const range of ranges) positions.set(`${range.topic}/${range.partition}`, range)
  }
  return steps
}

const adoption = async (
  doors: Doors,
  positions: ReadonlyMap<string, Range>,
  { ranges, files }: { ranges: readonly Range[]; files: readonly TableFile[] }
): Promise<ReplayStep> => {
  const [range] = ranges
  if (range === undefined || ranges.length > 1) {
    throw new Failure('E_LAKE_CORRUPT', `a move names ${ranges.length} partitions, not one`)
  }
  const file = files.find(({ table }) => table === 'gaps')
  const gap = file === undefined ? null : await readGap(doors, file)
  const seen = positions.get(`${range.topic}/${range.partition}`)
  return { kind: 'adopt', move: { range, gap, seen } }
}

const GapRow = z.object({
  first: z.coerce.number(),
  next: z.coerce.number(),
  reason: z.enum(['retention', 'truncation', 'recreation']),
  detail: z.string(),
  noticed_ms: z.number().nullable()
})

const readGap = async ({ engine, lake }: Doors, { path }: TableFile): Promise<Gap> => {
  const location = quoted(lake.doors.files.location(`gaps/${path}`))
  const [row] = await engine.rows(
    `SELECT "first", "next", reason, detail, epoch_ms(noticed_after)::DOUBLE AS noticed_ms
     FROM read_parquet(${location})`
  )
  const { noticed_ms: noticedAfterMs, ...gap } = GapRow.parse(row)
  return { ...gap, noticedAfterMs }
}
