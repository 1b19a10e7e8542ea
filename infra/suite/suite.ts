import { spawn, spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { CHECKS, TIERS, type Tier } from './tiers.ts'

export type SuiteOptions = {
  /** Names of tiers, or `check`; empty = all. */
  only: readonly string[]
  isCi: boolean
  root: URL
  print: (text: string) => void
}

type Count = { passed: number; failed: number; skipped: number }

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
  if (wants('check')) for (const check of CHECKS) add(total, await runCheck(options, check))
  const files = testFiles(options.root)
  for (const tier of TIERS.filter(({ name }) => wants(name))) {
    add(total, await runTier(options, tier, files.get(tier.name) ?? []))
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

/** Test files by tier: the longest suffix decides. */
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
  return files
}

const runCheck = async (options: SuiteOptions, check: string): Promise<Count> => {
  const { code, output, seconds } = await run(options, 'npm', ['run', '--silent', check])
  const passed = code === 0
  options.print(`${passed ? 'ok' : 'FAILED'} check ${check} (${seconds} s)\n`)
  if (!passed) options.print(output)
  return { passed: Number(passed), failed: Number(!passed), skipped: 0 }
}

const runTier = async (options: SuiteOptions, tier: Tier, files: string[]): Promise<Count> => {
  const { print, isCi } = options
  if (files.length === 0) return { passed: 0, failed: 0, skipped: 0 }
  const missing = tier.needs.filter((command) => !exists(command))
  if (missing.length > 0) {
    print(`SKIPPED tier ${tier.name}: ${missing.join(' and ')} not found on this machine\n`)
    return { passed: 0, failed: Number(isCi), skipped: files.length }
  }
  if (tier.prepare !== null) {
    const prepared = await run(options, tier.prepare[0]!, tier.prepare.slice(1))
    if (prepared.code !== 0) {
      print(`FAILED to prepare tier ${tier.name}\n${prepared.output}`)
      return { passed: 0, failed: 1, skipped: files.length }
    }
  }
  return runFiles(options, tier, files)
}

const runFiles = async (options: SuiteOptions, tier: Tier, files: string[]): Promise<Count> => {
  const { print } = options
  const args = ['--import', 'tsx', '--test', `--test-concurrency=${tier.concurrency}`]
  const reporter = ['--test-reporter=tap']
  const { code, output, seconds } = await run(options, process.execPath, [
    ...args,
    ...reporter,
    ...files
  ])
  const count = summary(output)
  // A runner that died without a summary has failed, whatever it counted.
  if (code !== 0 && count.failed === 0) count.failed = 1
  const counts = `${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`
  print(`${count.failed === 0 ? 'ok' : 'FAILED'} tier ${tier.name}: ${counts} (${seconds} s)\n`)
  print(skippedLines(output))
  if (count.failed > 0) print(failures(output))
  return count
}

const figure = (output: string, name: string): number =>
  Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(output)?.[1] ?? 0)

const summary = (output: string): Count => ({
  passed: figure(output, 'pass'),
  failed: figure(output, 'fail') + figure(output, 'cancelled'),
  skipped: figure(output, 'skipped')
})

const skippedLines = (output: string): string =>
  [...output.matchAll(/^ *ok \d+ - (.*) # SKIP ?(.*)$/gm)]
    .map(([, name, why]) => `  skipped: ${name} (${why})\n`)
    .join('')

/** Lines of context printed behind each failed test. */
const FAILURE_LINES = 40

/** Each innermost failed test with what it said. */
const failures = (output: string): string => {
  const lines = output.split('\n')
  return lines
    .flatMap((line, index) => {
      if (!/^ *not ok /.test(line)) return []
      // The block ends with three dots: what follows is another test's.
      const end = lines.findIndex((text, at) => at > index && text.trim() === '...')
      const block = lines.slice(index, Math.min(end < 0 ? Infinity : end, index + FAILURE_LINES))
      return block.some((text) => text.includes("failureType: 'subtestsFailed'"))
        ? []
        : [...block, '']
    })
    .join('\n')
}

const exists = (command: string): boolean =>
  spawnSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' }).status === 0

/** System packages are installed in CI only; elsewhere the tests that need them are skipped. */
const installPackages = async (options: SuiteOptions): Promise<Count> => {
  const { code, output, seconds } = await run(options, 'infra/apt/install.sh', [])
  options.print(`${code === 0 ? 'ok' : 'FAILED'} system packages (${seconds} s)\n`)
  if (code !== 0) options.print(output)
  return { passed: 0, failed: Number(code !== 0), skipped: 0 }
}

type Outcome = { code: number; output: string; seconds: string }

const run = ({ root }: SuiteOptions, command: string, args: readonly string[]): Promise<Outcome> =>
  new Promise((resolve) => {
    const startedMs = performance.now()
    const child = spawn(command, args, { cwd: fileURLToPath(root) })
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
    const finish = (code: number, more = ''): void =>
      resolve({
        code,
        output: Buffer.concat(chunks).toString() + more,
        seconds: ((performance.now() - startedMs) / 1000).toFixed(1)
      })
    child.on('error', (error) => finish(1, `${error.message}\n`))
    child.on('close', (code) => finish(code ?? 1))
  })
