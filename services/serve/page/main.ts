import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { bundlePage } from './bundle.ts'

// Writes the bundled page into the folder that is given.
const [folder = 'built'] = process.argv.slice(2)
await mkdir(folder, { recursive: true })
for (const [name, body] of await bundlePage()) await writeFile(path.join(folder, name), body)
