import type { InitializeHook, LoadHook } from 'node:module'
import { fileURLToPath } from 'node:url'
import { instrument } from './instrument.ts'

/** Module hooks of the fuzzing process: decoders are instrumented when they are loaded. */

let folders: readonly string[] = []
let nextEdge = 0

export const initialize: InitializeHook<readonly string[]> = (given) => {
  folders = given
}

const isDecoder = (url: string): boolean =>
  url.startsWith('file:') && folders.some((folder) => fileURLToPath(url).startsWith(folder))

export const load: LoadHook = async (url, context, nextLoad) => {
  const loaded = await nextLoad(url, context)
  if (loaded.format !== 'module' || loaded.source == null || !isDecoder(url)) return loaded
  const source =
    typeof loaded.source === 'string'
      ? loaded.source
      : Buffer.from(loaded.source as Uint8Array).toString()
  const { text, edges, words } = instrument(source, fileURLToPath(url.split('?')[0]!), nextEdge)
  nextEdge += edges
  // On the first line, so that the others keep their numbers.
  const words_ = JSON.stringify(words)
  return { ...loaded, source: `const __edge = globalThis.__edge; __edge.learn(${words_}); ${text}` }
}
