import { readFile, writeFile } from 'node:fs/promises'
import type { Fault } from '../table/fault.ts'
import { testsOf, type TestRun } from './tap-tests.ts'

/** What the tests of one fault saw when they ran last. */
export type Sighting = {
  number: number
  passed: number
  failed: number
  skipped: number
  /** Of its tests, together. */
  seconds: number
  /** Day on which they ran, in UTC. */
  date: string
  /** What they said of it, a line each; empty = nothing but that they passed. */
  said: string
  /** Why some were skipped. */
  why: string
}

const SEEN = new URL('../seen.json', import.meta.url)

export const readSightings = async (): Promise<Sighting[]> =>
  JSON.parse(await readFile(SEEN, 'utf8')) as Sighting[]

export const writeSightings = (sightings: readonly Sighting[]): Promise<void> =>
  writeFile(SEEN, `${JSON.stringify(sightings, null, 2)}\n`)

/** @param outputs what each file of tests printed, by its path. */
export const sightingOf = (
  { number, shown }: Fault,
  outputs: ReadonlyMap<string, string>,
  date: string
): Sighting => {
  const runs = shown.flatMap(({ file, title }) => namedIn(outputs.get(file) ?? '', title))
  const count = (outcome: TestRun['outcome']): number =>
    runs.filter((run) => run.outcome === outcome).length
  const seconds = runs.reduce((sum, run) => sum + run.seconds, 0)
  return {
    number,
    passed: count('passed'),
    failed: count('failed'),
    skipped: count('skipped'),
    seconds: Math.round(seconds * 10) / 10,
    date,
    said: distinct(runs.flatMap(({ said }) => said)),
    why: distinct(runs.flatMap(({ why }) => (why === '' ? [] : [why])))
  }
}

const distinct = (texts: readonly string[]): string => [...new Set(texts)].join('\n')

const MISSED: Omit<TestRun, 'title'> = {
  outcome: 'failed',
  why: '',
  isSuite: false,
  seconds: 0,
  said: []
}

/** Tests of a title. Where a suite was skipped, it may be in there; otherwise a test that did not end failed. */
const namedIn = (output: string, title: string): TestRun[] => {
  const all = testsOf(output)
  const named = all.filter((run) => run.title.includes(title))
  if (named.length > 0) return named
  const skippedSuites = all.filter(({ isSuite }) => isSuite).slice(0, 1)
  return skippedSuites.length > 0 ? skippedSuites : [{ ...MISSED, title }]
}

/** One line for the page. */
export const sightingText = (sighting: Sighting | undefined): string => {
  if (sighting === undefined) return 'not run'
  const { passed, failed, skipped, seconds, date, said, why } = sighting
  if (failed > 0) return `**broken**: ${failed} of ${passed + failed + skipped} tests, ${date}`
  if (passed === 0) return `skipped: ${why}, ${date}`
  const tests = passed === 1 ? '1 test' : `${passed} tests`
  const left = skipped === 0 ? '' : `, ${skipped} skipped: ${why}`
  const what = said === '' ? 'kept: ' : `${said}; `
  return `${what.replaceAll('\n', '<br>')}${tests}${left}, ${seconds.toFixed(1)} s, ${date}`
}
