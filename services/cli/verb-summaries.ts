import { readFile } from 'node:fs/promises'

/**
 * Summaries are read out of the commands' text: running all those modules just to list them would
 * load DuckDB, a web server and a Kafka client, and take longer than a second.
 */
const SUMMARY = /^\s*summary:\s*(?:'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)")/m

/** The summary of a command's module; null when it is not written as one literal. */
export const readSummary = async (module: URL): Promise<string | null> => {
  const found = SUMMARY.exec(await readFile(module, 'utf8'))
  const text = found?.[1] ?? found?.[2]
  return text === undefined ? null : text.replaceAll(/\\(.)/g, '$1')
}
