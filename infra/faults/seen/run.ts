import { runCommand } from '../../suite/command.ts'
import type { Fault } from '../table/fault.ts'
import { sightingOf, sightingText, type Sighting } from './sighting.ts'

export type RunOptions = {
  root: URL
  env: NodeJS.ProcessEnv
  /** Day of the run, in UTC. */
  date: string
  print: (text: string) => void
}

/** Of one file of tests: the longest takes a third of it alone. */
const FILE_SECONDS_MAX = 1_200

/** Runs every file of tests that shows one of the faults, one after the other. */
export const runFaults = async (
  faults: readonly Fault[],
  { root, env, date, print }: RunOptions
): Promise<Sighting[]> => {
  const files = new Set(faults.flatMap(({ shown }) => shown.map(({ file }) => file)))
  const outputs = new Map<string, string>()
  for (const file of files) {
    const args = ['--import', 'tsx', '--test-reporter=tap', file]
    const place = { root, env, secondsMax: FILE_SECONDS_MAX }
    const { code, output, seconds } = await runCommand(place, process.execPath, args)
    print(`${code === 0 ? 'ok' : 'FAILED'} ${file} (${seconds.toFixed(1)} s)\n`)
    if (code !== 0) print(output)
    outputs.set(file, output)
  }
  const sightings = faults.map((fault) => sightingOf(fault, outputs, date))
  for (const sighting of sightings) print(`${sighting.number}: ${sightingText(sighting)}\n`)
  return sightings
}
