import { writeFileSync } from 'node:fs'
import { EVENT_SCHEMA } from './event-schema.ts'
import { fingerprint } from './fingerprint.ts'
import { readHistory } from './history.ts'

/** Writes the current schema as the next version of the history, when it is a new one. */
const newest = readHistory().at(-1)
if (newest?.fingerprint !== fingerprint(EVENT_SCHEMA)) {
  const version = (newest?.version ?? 0) + 1
  const file = new URL(`./history/usage-event.v${version}.avsc`, import.meta.url)
  writeFileSync(file, `${JSON.stringify(EVENT_SCHEMA, null, 2)}\n`, { flag: 'wx' })
  process.stdout.write(`wrote version ${version}\n`)
} else {
  process.stdout.write(`version ${newest.version} is current\n`)
}
