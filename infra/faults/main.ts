import { writeFile } from 'node:fs/promises'
import { FAULTS } from './faults.ts'
import { faultsPage } from './page.ts'
import { runFaults } from './seen/run.ts'
import { readSightings, writeSightings } from './seen/sighting.ts'

/**
 * Writes `infra/FAULTS.md`. `run` first runs the tests of every fault, or of those whose numbers
 * follow, and keeps what they saw; it ends with 1 where a promise is broken.
 */
const [command, ...numbers] = process.argv.slice(2)
let seen = await readSightings()

if (command === 'run') {
  const chosen = FAULTS.filter(
    ({ number }) => numbers.length === 0 || numbers.includes(String(number))
  )
  const now = await runFaults(chosen, {
    root: new URL('../../', import.meta.url),
    env: process.env,
    date: new Date().toISOString().slice(0, 10),
    print: (text) => void process.stdout.write(text)
  })
  const isNew = new Set(now.map(({ number }) => number))
  seen = [...seen.filter(({ number }) => !isNew.has(number)), ...now].sort(
    (a, b) => a.number - b.number
  )
  await writeSightings(seen)
  process.exitCode = now.some(({ failed }) => failed > 0) ? 1 : 0
}
await writeFile(new URL('../FAULTS.md', import.meta.url), faultsPage(seen))
