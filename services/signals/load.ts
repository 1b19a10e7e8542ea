import { readdir, readFile } from 'node:fs/promises'
import { Failure } from '../../schemas/failure.ts'
import { GRAINS, type Grain, type Signal } from './define.ts'

export type LoadedSignal = Signal & {
  id: string
  /** One SQL statement per grain that the signal reads. */
  sql: Partial<Record<Grain, string>>
  runbook: string
}

const here = new URL('./', import.meta.url)
const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
/** Holds the tests' mathematics, not a signal. */
const STATISTICS = 'statistics'

/** Every folder beside this file is a signal; there is no list to keep. */
export const loadSignals = async (folder: URL = here): Promise<LoadedSignal[]> => {
  const entries = await readdir(folder, { withFileTypes: true })
  const ids = entries
    .filter((entry) => entry.isDirectory() && entry.name !== STATISTICS)
    .map((entry) => entry.name)
    .sort()
  return Promise.all(ids.map((id) => loadSignal(folder, id)))
}

/** One line for the log at start: what was found on disk. */
export const describeSignals = (signals: readonly LoadedSignal[]): string =>
  `${signals.length} signals: ${signals.map(({ id }) => id).join(', ')}`

const loadSignal = async (parent: URL, id: string): Promise<LoadedSignal> => {
  const folder = new URL(`${id}/`, parent)
  const names = await readdir(folder)
  if (!names.includes(`signal${extension}`)) {
    throw new Failure('E_INTERNAL', `The signal folder ${id} has no signal${extension}`, {
      hint: 'A folder under services/signals is a signal; put other code elsewhere.'
    })
  }
  const module = (await import(new URL(`signal${extension}`, folder).href)) as { default: Signal }
  return {
    ...module.default,
    id,
    sql: await readGrains(folder, id, module.default),
    runbook: `services/signals/${id}/runbook.md`
  }
}

const readGrains = async (
  folder: URL,
  id: string,
  signal: Signal
): Promise<LoadedSignal['sql']> => {
  const grains = GRAINS.filter((grain) => signal.inputs[grain] !== undefined)
  if (grains.length === 0) throw new Failure('E_INTERNAL', `The signal ${id} declares no input`)
  const texts = await Promise.all(
    grains.map((grain) => readFile(new URL(`${grain}.sql`, folder), 'utf8'))
  )
  return Object.fromEntries(grains.map((grain, index) => [grain, texts[index] ?? '']))
}
