import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { Failure } from '../../../schemas/failure.ts'
import { loadBook, parseBook, SHIPPED_BOOK } from '../../rates/prices/book.ts'
import { buildBook } from '../../rates/prices/build/build.ts'
import { diffBooks } from '../../rates/prices/diff.ts'
import { EXIT, type CommandIo } from '../command.ts'
import { readTable, type PricesOptions } from './options.ts'

/** Builds the book anew from its sources and says how many rows changed. */
export const updatePrices = async (options: PricesOptions, io: CommandIo): Promise<number> => {
  const { litellm, genai, litellmVersion, genaiVersion, genaiDate } = options
  if (litellm === undefined || genai === undefined) {
    throw new Failure('E_USAGE', 'give --litellm FILE and --genai FILE', {
      hint: 'Both tables come with their Python packages of the same names.'
    })
  }
  const text = buildBook({
    litellm: { text: await readTable(litellm), version: litellmVersion ?? 'unknown' },
    genai: {
      text: await readTable(genai),
      version: genaiVersion ?? 'unknown',
      date: genaiDate ?? io.now().toISOString().slice(0, 10)
    },
    history: options.history === undefined ? '' : await readTable(options.history),
    witness: options.witness === undefined ? '' : await readTable(options.witness)
  })
  const after = parseBook(text)
  const out = options.out ?? fileURLToPath(SHIPPED_BOOK)
  const before = existsSync(out) ? await loadBook(out) : null
  const changes = before === null ? after.rows.length : diffBooks(before, after).length
  await writeFile(out, text)
  const summary = { out, rows: after.rows.length, changes, version: after.version }
  io.stdout.write(
    options.json === true
      ? `${JSON.stringify(summary)}\n`
      : `${out}: ${summary.rows} rows, ${changes} changed, version ${summary.version}\n`
  )
  return EXIT.ok
}
