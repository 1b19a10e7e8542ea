import { readFile, writeFile } from 'node:fs/promises'
import { loadSources } from '../sources/load.ts'
import { withSourceTable } from './source-table.ts'

/** Writes the table of sources into `services/collect/README.md`. */
const file = new URL('../README.md', import.meta.url)
await writeFile(file, withSourceTable(await readFile(file, 'utf8'), await loadSources()))
