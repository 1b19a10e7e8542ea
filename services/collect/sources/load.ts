import { readdir } from 'node:fs/promises'
import { Failure } from '../../../schemas/failure.ts'
import { loadTokenizer } from '../count/tokenizer.ts'
import type { Source } from './source.ts'

export type LoadedSource = Source & { id: string }

const here = new URL('./', import.meta.url)
const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'

/** Every folder with a source in it, by id; there is no list to keep. */
export const loadSources = async (folder: URL = here): Promise<LoadedSource[]> => {
  const ids = await findSources(folder)
  return Promise.all(ids.map((id) => importSource(id, folder)))
}

/**
 * The source called `id`; only its own file is loaded.
 * @throws Failure E_USAGE that names the known ones.
 */
export const loadSource = async (id: string, folder: URL = here): Promise<LoadedSource> => {
  const ids = await findSources(folder)
  if (!ids.includes(id)) {
    throw new Failure('E_USAGE', `no dialect is called ${JSON.stringify(id)}`, {
      hint: `Known dialects: ${ids.join(', ')}.`
    })
  }
  return importSource(id, folder)
}

const findSources = async (folder: URL): Promise<string[]> => {
  const entries = await readdir(folder, { withFileTypes: true })
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
}

const importSource = async (id: string, folder: URL): Promise<LoadedSource> => {
  const file = new URL(`${id}/source${extension}`, folder)
  const module = (await import(file.href)) as { default?: Source }
  if (typeof module.default?.read !== 'function') {
    throw new Failure('E_USAGE', `sources/${id}/source${extension} exports no source`, {
      hint: 'Export default defineSource({...}) from it.'
    })
  }
  // Reading is synchronous, so whatever counts what was said has to be there before.
  if (module.default.counts === true) await loadTokenizer()
  return { id, ...module.default }
}
