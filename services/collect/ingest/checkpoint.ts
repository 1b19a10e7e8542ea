import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

/** How far a file was taken in. Only saves work: taking a line in twice changes nothing. */
const Checkpoint = z.strictObject({
  file: z.string(),
  source: z.string(),
  tenant: z.string().nullable(),
  /** Bytes (decompressed) up to which every line is in the log. */
  byte: z.int().nonnegative(),
  line: z.int().nonnegative(),
  /** SHA-256 of those bytes: another file under the same name is recognised. */
  prefixSha256: z.string()
})
export type Checkpoint = z.infer<typeof Checkpoint>

const KEY_HEX_LENGTH = 24

export class CheckpointFile {
  readonly #folder: string
  readonly #path: string

  /** @param folder where checkpoints live; `identity` is the file's path and dialect. */
  constructor(folder: string, identity: readonly string[]) {
    const key = createHash('sha256').update(JSON.stringify(identity)).digest('hex')
    this.#folder = folder
    this.#path = join(folder, `${key.slice(0, KEY_HEX_LENGTH)}.json`)
  }

  /** Null when there is none, or none that can be read. */
  async read(): Promise<Checkpoint | null> {
    try {
      return Checkpoint.parse(JSON.parse(await readFile(this.#path, 'utf8')))
    } catch {
      return null
    }
  }

  async write(checkpoint: Checkpoint): Promise<void> {
    await mkdir(this.#folder, { recursive: true })
    const temporary = `${this.#path}.tmp`
    await writeFile(temporary, JSON.stringify(checkpoint))
    await rename(temporary, this.#path)
  }
}
