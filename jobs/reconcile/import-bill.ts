import { readdir } from 'node:fs/promises'
import { Failure } from '../../schemas/failure.ts'
import type { BillImporter } from './bill.ts'

const folder = new URL('./importers/', import.meta.url)
const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'

/** `openai/costs`, `anthropic/cost-report` …: every file under `importers/`. */
export const billDialects = async (): Promise<string[]> =>
  (await readdir(folder, { recursive: true }))
    .filter((name) => name.endsWith(extension) && !name.includes('.test.'))
    .map((name) => name.slice(0, -extension.length).replaceAll('\\', '/'))
    .sort()

/** The importer of a dialect; `_` and `-` are the same in its name. */
export const loadImporter = async (dialect: string): Promise<BillImporter> => {
  const known = await billDialects()
  const name = dialect.toLowerCase().replaceAll('_', '-')
  if (!known.includes(name)) {
    throw new Failure('E_USAGE', `no bill is read as "${dialect}"`, {
      hint: `Known: ${known.join(', ')}.`
    })
  }
  const module = (await import(new URL(`${name}${extension}`, folder).href)) as {
    default: BillImporter
  }
  return module.default
}
