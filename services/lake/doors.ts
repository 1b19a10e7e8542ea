import type { Files } from './files.ts'
import type { ParquetWriter } from './parquet-writer.ts'

/** What the lake needs of the world. */
export type Doors = {
  files: Files
  writeParquet: ParquetWriter
  nowMs: () => number
  newId: () => string
}
