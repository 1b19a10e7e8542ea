import type { Random } from '../worlds/random.ts'
import type { Coverage } from './coverage.ts'
import { judge } from './judge.ts'
import { pick, type Material } from './material.ts'
import { mutate } from './mutate.ts'
import type { Target } from './target.ts'

export type Finding = { what: string; input: Buffer }
export type FuzzReport = { inputs: number; edges: number; kept: number; findings: Finding[] }

export type FuzzOptions = {
  target: Target
  /** Inputs to begin with: seeds, and what found something before. */
  seeds: readonly Buffer[]
  inputs: number
  random: Random
  coverage: Coverage
  /** Called with each input before it runs, for when the process does not survive it. */
  note: (input: Buffer) => void
}

/** Enough to mend before the next run. */
const FINDINGS_MAX = 5
/** How often a newer input is preferred: it is where unknown parts are near. */
const NEWEST = 16

/**
 * Feeds a decoder with changed inputs, and keeps those that went where none has been, to change
 * them further. The same seed gives the same inputs.
 */
export const fuzz = async (options: FuzzOptions): Promise<FuzzReport> => {
  const { target, seeds, inputs, random, coverage, note } = options
  const kept: Buffer[] = []
  const findings = new Map<string, Finding>()
  const run = async (input: Buffer): Promise<void> => {
    note(input)
    coverage.begin()
    const what = await judge(target, input)
    if (coverage.end() || kept.length === 0) kept.push(input)
    if (what !== null && !findings.has(placeOf(what))) findings.set(placeOf(what), { what, input })
  }
  if (seeds.length === 0) throw new Error('a target needs an input to start from')
  for (const seed of seeds) await run(seed)
  const other = (): Buffer => pick(random, kept)
  let done = 0
  for (; done < inputs && findings.size < FINDINGS_MAX; done++) {
    const material: Material = { random, words: coverage.words, other }
    const recent = random.uniform() < 0.3 ? Math.max(0, kept.length - NEWEST) : 0
    await run(mutate(kept[random.integer(recent, kept.length)]!, material))
  }
  return {
    inputs: done,
    edges: coverage.edges,
    kept: kept.length,
    findings: [...findings.values()]
  }
}

/** Two findings at one place are one: its first line of code, or the kind where there is none. */
const placeOf = (what: string): string =>
  what.split('\n').find((line) => /^\s+at .*(services|jobs|schemas)\//.test(line)) ??
  what.split(':')[0]!
