import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

/** How far a partition of another topic was taken in. */
const Position = z.strictObject({
  topic: z.string(),
  partition: z.int().nonnegative(),
  incarnation: z.string(),
  /** Offset of the record to read next. */
  next: z.int().nonnegative(),
  /** The record before it, by which the log is known again; null = there was none, or an older file. */
  anchor: z.strictObject({ offset: z.int(), crc32c: z.int() }).nullable().default(null)
})
export type Position = z.infer<typeof Position>

const KEY_HEX_LENGTH = 24

const keyOf = (topic: string): string =>
  createHash('sha256').update(topic).digest('hex').slice(0, KEY_HEX_LENGTH)

/**
 * Positions in a folder that the processes of one site share, one file a partition. A lost one
 * only costs work: what is read twice counts once.
 */
export class PositionFiles {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Null when there is none, or none that can be read. */
  async read(topic: string, partition: number): Promise<Position | null> {
    try {
      return Position.parse(JSON.parse(await readFile(this.#path(topic, partition), 'utf8')))
    } catch {
      return null
    }
  }

  /** Lets the next run begin at the start of a topic. */
  async forget(topic: string): Promise<void> {
    const mark = `${keyOf(topic)}-`
    const files = await readdir(this.#folder).catch(() => [])
    const known = files.filter((name) => name.startsWith(mark))
    await Promise.all(known.map((name) => rm(join(this.#folder, name), { force: true })))
  }

  async write(position: Position): Promise<void> {
    await mkdir(this.#folder, { recursive: true })
    const path = this.#path(position.topic, position.partition)
    const temporary = `${path}.${process.pid}.tmp`
    await writeFile(temporary, JSON.stringify(position))
    await rename(temporary, path)
  }

  #path(topic: string, partition: number): string {
    return join(this.#folder, `${keyOf(topic)}-${partition}.json`)
  }
}
