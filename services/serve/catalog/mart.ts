import { randomUUID } from 'node:crypto'
import { copyFile, link, mkdir, readdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import type { TableName } from '../../../schemas/tables.ts'
import type { Head, LiveFile } from '../../lake/commit.ts'
import type { Engine } from '../../lake/engine.ts'
import type { Lake } from '../../lake/lake.ts'
import { quoted } from '../../lake/parquet-writer.ts'
import { settledHours } from '../../lake/settled-hours.ts'

/**
 * Plain Parquet beside the Delta tables, for whoever has no reader of Delta: one file a settled
 * hour, always under the same name. It is replaced by renaming, so that a glob over the folder
 * finds each row once at any moment. The files are hard links: the mart takes no space.
 */

/** Tables with one file for each settled hour, and the name of their view. */
export const HOURLY: Readonly<Record<string, TableName>> = {
  events: 'events_settled',
  windows: 'windows_settled',
  prefixes: 'prefixes_settled'
}

/** Small tables, each one file that is written anew. */
export const WHOLE = [
  'findings',
  'conflicts',
  'disagreements',
  'gaps',
  'charges',
  'statements',
  'bills'
] as const satisfies readonly TableName[]

export type MartDoors = { engine: Engine; lake: Lake; folder: string }

const US_PER_HOUR = 3_600_000_000
const MS_PER_HOUR = 3_600_000

/** Where the file of an hour lies within the mart. */
export const hourPath = (name: string, startMs: number): string => {
  const iso = new Date(startMs).toISOString()
  return `${name}/dt=${iso.slice(0, 10)}/hour=${iso.slice(11, 13)}/part.parquet`
}

/** Takes the mart from version `since` of the lake to `head`. @returns how many files changed. */
export const writeMart = async (doors: MartDoors, head: Head, since: number): Promise<number> => {
  const settled = new Set(settledHours(head).map(({ startMs }) => startMs))
  let changed = 0
  for (const [name, table] of Object.entries(HOURLY)) {
    for (const file of head.files.get(table)?.values() ?? []) {
      const startMs = Math.floor((file.timeUsMin ?? 0) / US_PER_HOUR) * MS_PER_HOUR
      if (file.version <= since || !settled.has(startMs)) continue
      await place(doors, file, hourPath(name, startMs))
      changed++
    }
  }
  for (const table of WHOLE) changed += await writeWhole(doors, head, { table, since })
  return changed
}

const place = async ({ lake, folder }: MartDoors, file: LiveFile, to: string): Promise<void> => {
  const from = lake.doors.files.location(`${file.table}/${file.path}`)
  await swap(path.join(folder, to), async (temporary) => {
    // Another file system has no hard links to this one.
    await link(from, temporary).catch(() => copyFile(from, temporary))
  })
}

const writeWhole = async (
  { engine, lake, folder }: MartDoors,
  head: Head,
  { table, since }: { table: TableName; since: number }
): Promise<number> => {
  const live = [...(head.files.get(table)?.values() ?? [])]
  const target = path.join(folder, table, 'part.parquet')
  if (live.every(({ version }) => version <= since)) return 0
  const files = live.map((file) => quoted(lake.doors.files.location(`${table}/${file.path}`)))
  await swap(target, (temporary) =>
    engine.run(
      `COPY (SELECT * FROM read_parquet([${files.join(', ')}], union_by_name = true)) TO ${quoted(temporary)} (FORMAT parquet, COMPRESSION zstd)`
    )
  )
  return 1
}

/** Makes a file under a name that no glob finds, then gives it its own. */
export const swap = async (
  target: string,
  make: (temporary: string) => Promise<void>
): Promise<void> => {
  await mkdir(path.dirname(target), { recursive: true })
  const temporary = `${target}.${randomUUID()}.inprogress`
  try {
    await make(temporary)
    await rename(temporary, target)
  } finally {
    await rm(temporary, { force: true })
  }
}

/** Whether the mart has any file of a table. */
export const hasFiles = async (folder: string, name: string): Promise<boolean> =>
  (await readdir(path.join(folder, name)).catch(() => [])).length > 0
