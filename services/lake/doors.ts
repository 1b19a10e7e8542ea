import type { Disk } from './disk.ts'
import type { Files } from './files.ts'
import type { ParquetWriter } from './parquet-writer.ts'

/** What the lake needs of the world. */
export type Doors = {
  files: Files
  /** Where files lie that are not finished. */
  disk: Pick<Disk, 'create' | 'read' | 'remove'>
  writeParquet: ParquetWriter
  nowMs: () => number
  newId: () => string
}
