import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { runCommand, type Outcome, type Place } from './command.ts'
import { sideBySide } from './side-by-side.ts'
import { countOf, failures, skippedLines, type Count } from './tap.ts'
import { CHECKS, LONGEST, TIERS, type Tier } from './tiers.ts'

export type SuiteOptions = Place & {
  /** Names of tiers, or `check`; empty = all. */
  only: readonly string[]
  isCi: boolean
  print: (text: string) => void
}

/** Twice what the longest file takes on a full machine: a test that hangs is one that failed. */
const FILE_SECONDS_MAX = 1_200

/** Each keeps about one core busy. */
const CHECKS_AT_ONCE = 2

const SOURCES = ['schemas', 'services', 'jobs', 'infra']

/**
 * Runs the checks and every tier, and closes with one line of counts. What a machine lacks skips
 * its tier loudly; in CI it fails.
 * @returns the exit code.
 */
export const runSuite = async (options: SuiteOptions): Promise<number> => {
  const { only, print } = options
  const total: Count = { passed: 0, failed: 0, skipped: 0 }
  const wants = (name: string): boolean => only.length === 0 || only.includes(name)
  if (options.isCi && only.length === 0) add(total, await installPackages(options))
  const files = testFiles(options.root)
  const tiers = TIERS.filter(({ name }) => wants(name)).map((tier) => ({
    tier,
    prepared: prepare(options, tier)
  }))
  if (wants('check')) {
    const counts = await sideBySide(CHECKS, CHECKS_AT_ONCE, (check) => runCheck(options, check))
    for (const count of counts) add(total, count)
  }
  for (const { tier, prepared } of tiers) {
    add(total, await runTier(options, { tier, prepared }, files.get(tier.name) ?? []))
  }
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : ''
  print(`${total.passed} passed, ${total.failed} failed${skipped}\n`)
  return total.failed === 0 && total.passed > 0 ? 0 : 1
}

const add = (total: Count, { passed, failed, skipped }: Count): void => {
  total.passed += passed
  total.failed += failed
  total.skipped += skipped
}

/** Test files by tier, those that take longest first. The longest suffix decides on the tier. */
const testFiles = (root: URL): Map<string, string[]> => {
  const bySuffix = [...TIERS].sort((a, b) => b.suffix.length - a.suffix.length)
  const files = new Map<string, string[]>()
  for (const folder of SOURCES) {
    const names = readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
    for (const name of names.filter((file) => !file.includes('node_modules')).sort()) {
      const tier = bySuffix.find(({ suffix }) => name.endsWith(suffix))
      if (tier === undefined) continue
      files.set(tier.name, [...(files.get(tier.name) ?? []), `${folder}/${name}`])
    }
  }
  for (const tierFiles of files.values()) tierFiles.sort((a, b) => rank(a) - rank(b))
  return files
}

const rank = (file: string): number => {
  const index = LONGEST.indexOf(file)
  return index === -1 ? LONGEST.length : index
}

/** Only files of tests are limited: installing takes what it takes. */
const placeOf = ({ root, env }: SuiteOptions): Place => ({ root, env })

const runCheck = async (options: SuiteOptions, check: string): Promise<Count> => {
  const { code, output, seconds } = await runCommand(placeOf(options), 'npm', [
    'run',
    '--silent',
    check
  ])
  const passed = code === 0
  options.print(`${passed ? 'ok' : 'FAILED'} check ${check} (${inSeconds(seconds)})\n`)
  if (!passed) options.print(output)
  return { passed: Number(passed), failed: Number(!passed), skipped: 0 }
}

type PreparedTier = { tier: Tier; prepared: Promise<Outcome | null> }

/** Begun before anything else runs: it is mostly a wait for downloads. */
const prepare = (
  options: SuiteOptions,
  { prepare: command, needs }: Tier
): PreparedTier['prepared'] =>
  command === null || !needs.every(exists)
    ? Promise.resolve(null)
    : runCommand(placeOf(options), command[0]!, command.slice(1))

const runTier = async (
  options: SuiteOptions,
  { tier, prepared }: PreparedTier,
  files: string[]
): Promise<Count> => {
  const { print, isCi } = options
  if (files.length === 0) return { passed: 0, failed: 0, skipped: 0 }
  const missing = tier.needs.filter((command) => !exists(command))
  if (missing.length > 0) {
    print(`SKIPPED tier ${tier.name}: ${missing.join(' and ')} not found on this machine\n`)
    return { passed: 0, failed: Number(isCi), skipped: files.length }
  }
  const outcome = await prepared
  if (outcome !== null && outcome.code !== 0) {
    print(`FAILED to prepare tier ${tier.name}\n${outcome.output}`)
    return { passed: 0, failed: 1, skipped: files.length }
  }
  return runFiles(options, tier, files)
}

const runFiles = async (options: SuiteOptions, tier: Tier, files: string[]): Promise<Count> => {
  const { print } = options
  const startedMs = performance.now()
  const { secondsMax = FILE_SECONDS_MAX } = options
  const place: Place = { root: options.root, env: { ...options.env, ...tier.tells }, secondsMax }
  const runs = await sideBySide(files, tier.concurrency, async (file) => {
    // Not by `node --test`, which sorts files by name, whatever the order they are given in.
    const args = ['--import', 'tsx', '--test-reporter=tap', file]
    const outcome = await runCommand(place, process.execPath, args)
    return { file, ...outcome, count: countOf(outcome.code, outcome.output) }
  })
  const total: Count = { passed: 0, failed: 0, skipped: 0 }
  for (const { count } of runs) add(total, count)
  const counts = `${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`
  const seconds = inSeconds((performance.now() - startedMs) / 1000)
  print(`${total.failed === 0 ? 'ok' : 'FAILED'} tier ${tier.name}: ${counts} (${seconds})\n`)
  for (const { file, seconds: took } of longest(runs)) print(`  ${inSeconds(took)} ${file}\n`)
  for (const { output } of runs) print(skippedLines(output))
  for (const { file, output, count } of runs)
    if (count.failed > 0) print(`${file}\n${failures(output)}`)
  return total
}

/** Files named behind each tier, so that whoever waits sees for what. */
const LONGEST_SHOWN = 3

const longest = <Run extends { seconds: number }>(runs: readonly Run[]): Run[] =>
  runs.toSorted((a, b) => b.seconds - a.seconds).slice(0, LONGEST_SHOWN)

const inSeconds = (seconds: number): string => `${seconds.toFixed(1)} s`

const exists = (command: string): boolean =>
  spawnSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' }).status === 0

/** System packages are installed in CI only; elsewhere the tests that need them are skipped. */
const installPackages = async (options: SuiteOptions): Promise<Count> => {
  const { code, output, seconds } = await runCommand(placeOf(options), 'infra/apt/install.sh', [])
  options.print(`${code === 0 ? 'ok' : 'FAILED'} system packages (${inSeconds(seconds)})\n`)
  if (code !== 0) options.print(output)
  return { passed: 0, failed: Number(code !== 0), skipped: 0 }
}
