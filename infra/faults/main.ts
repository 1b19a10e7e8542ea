import { writeFile } from 'node:fs/promises'
import { faultsPage } from './page.ts'

await writeFile(new URL('../FAULTS.md', import.meta.url), faultsPage())
