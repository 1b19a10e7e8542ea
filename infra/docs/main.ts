import { writeFile } from 'node:fs/promises'
import { referencePages } from './reference.ts'

/** Writes the pages of the reference that are made from the sources. */
for (const { name, text } of await referencePages()) {
  await writeFile(new URL(`../../docs/reference/${name}`, import.meta.url), text)
}
