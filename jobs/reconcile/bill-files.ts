import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import { Failure } from '../../schemas/failure.ts'
import { openMemory } from '../../services/lake/memory.ts'
import { billLines, type BillLine } from './bill.ts'
import { loadImporter } from './import-bill.ts'
import { focusLines } from './importers/focus.ts'
import type { BillFile } from './kept-bills.ts'

/** Reads bills from files, each by the dialect at its place. */
export const readBillFiles = async (
  paths: readonly string[],
  dialects: readonly string[]
): Promise<BillFile[]> => {
  const files: BillFile[] = []
  for (const [index, path] of paths.entries()) {
    const dialect = dialects[index] ?? ''
    const sha256 = createHash('sha256')
      .update(dialect)
      .update(await readBytes(path))
      .digest('hex')
    files.push({ dialect, sha256, lines: await readBill(path, dialect) })
  }
  return files
}

const readBill = async (path: string, dialect: string): Promise<BillLine[]> => {
  const importer = await loadImporter(dialect)
  try {
    if (dialect.toLowerCase() === 'focus' && path.endsWith('.parquet'))
      return await readParquet(path)
    return importer.read(await readBillText(path))
  } catch (cause) {
    if (!(cause instanceof Failure) || cause.code !== 'E_BILL_UNREADABLE') throw cause
    const hint = cause.hint ?? `Is it what --as ${dialect} names? The schema: ${importer.schema}.`
    throw new Failure(cause.code, `${path}: ${cause.message}`, { hint, cause })
  }
}

const readBytes = async (path: string): Promise<Buffer> => {
  try {
    return await readFile(path)
  } catch (cause) {
    throw new Failure('E_USAGE', `${path} can not be read: ${String(cause)}`, { cause })
  }
}

/** Text of a bill is read as a whole: a month by hour and key has some dozen MiB; this is 256 MiB. */
const UNPACKED_BYTES_MAX = 256 << 20

/** Text of a file, plain or .gz. @throws Failure E_USAGE, also when it unpacks to too much. */
export const readBillText = async (
  path: string,
  bytesMax: number = UNPACKED_BYTES_MAX
): Promise<string> => {
  try {
    return path.endsWith('.gz') ? await unpack(path, bytesMax) : await readFile(path, 'utf8')
  } catch (cause) {
    if (cause instanceof Failure) throw cause
    throw new Failure('E_USAGE', `${path} can not be read: ${String(cause)}`, { cause })
  }
}

const unpack = async (path: string, bytesMax: number): Promise<string> => {
  const file = createReadStream(path)
  const plain = file.pipe(createGunzip())
  // An error of the file would otherwise leave the decompressor waiting.
  file.on('error', (error) => plain.destroy(error))
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of plain as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > bytesMax) throw tooLarge(path, bytesMax)
    }
  } finally {
    file.destroy()
  }
  return Buffer.concat(chunks).toString('utf8')
}

const tooLarge = (path: string, bytesMax: number): Failure =>
  new Failure('E_USAGE', `${path} unpacks to more than ${bytesMax} bytes`, {
    hint: 'A bill is read as a whole: split it by month or account, and name each part with --bill.'
  })

const readParquet = async (path: string): Promise<BillLine[]> => {
  const database = await openMemory()
  try {
    const rows: Record<string, unknown>[] = []
    const file = `read_parquet('${path.replaceAll("'", "''")}')`
    for await (const chunk of database.columns(`SELECT COLUMNS(*)::VARCHAR FROM ${file}`)) {
      const columns = Object.entries(chunk.columns)
      for (let row = 0; row < chunk.rows; row += 1) {
        rows.push(Object.fromEntries(columns.map(([name, values]) => [name, values[row] ?? null])))
      }
    }
    return billLines(() => focusLines(rows))
  } finally {
    database.close()
  }
}
