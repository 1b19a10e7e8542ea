import { mkdir, writeFile } from 'node:fs/promises'
import { dictionaryPage, sourcesYaml } from './pages.ts'

/** Writes the pages about the tables: run it after a change of the schemas. */
const root = new URL('../../../', import.meta.url)
await mkdir(new URL('docs/reference/', root), { recursive: true })
await writeFile(new URL('docs/reference/tables.md', root), dictionaryPage())
await writeFile(new URL('analytics/dbt/models/sources.yml', root), sourcesYaml())
