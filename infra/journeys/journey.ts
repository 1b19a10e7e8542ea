import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { chromium, type Page } from 'playwright-core'
import { writeTally } from '../suite/tally-command.ts'

/** What journeys share: a folder with `tally` on the path, a script that runs in it, a browser, pictures. */

const CHROMIUM = '/usr/bin/chromium'
/** Pictures of what people saw. */
const shots = fileURLToPath(new URL('../../.tmp/journeys/', import.meta.url))
/** The whole suite may run beside it. */
const WAIT_MS_MAX = 60_000

/** Why a journey can't be made on this machine; in CI everything is there, or the test fails. */
export const skipWithout = (env: NodeJS.ProcessEnv, ...programs: string[]): string | false => {
  const missing = programs.filter((name) =>
    path.isAbsolute(name)
      ? !existsSync(name)
      : spawnSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' }).status !== 0
  )
  return missing.length === 0 || env['CI'] === 'true' ? false : `needs ${missing.join(', ')}`
}

export const BROWSER = CHROMIUM

export type Journey = {
  folder: string
  /** What a step printed. */
  text: (name: string) => Promise<string>
  read: <Value>(name: string) => Promise<Value>
}

export type Script = {
  /** All of it, since a shell finds its programs by it. */
  env: NodeJS.ProcessEnv
  /** Folders of programs, before those of the path. */
  bins?: readonly string[]
  /** What somebody does beside it, who may wait for what it writes. */
  beside?: (journey: Journey) => Promise<void>
}

/** Runs a script in a folder of its own, to its end; what it left running in its group ends with the test. */
export const runScript = async (
  t: TestContext,
  script: string,
  { env, bins = [], beside }: Script
): Promise<Journey> => {
  const folder = await mkdtemp(path.join(tmpdir(), 'journey-'))
  const bin = path.join(folder, 'bin')
  await writeTally(bin, env)
  const child = spawn('bash', [fileURLToPath(new URL(script, import.meta.url))], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...env, PATH: [bin, ...bins, env['PATH'] ?? ''].join(path.delimiter) }
  })
  t.after(async () => {
    endGroup(child.pid!)
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  })
  let messages = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (messages += text))
  const text = (name: string): Promise<string> => readFile(path.join(folder, name), 'utf8')
  const journey: Journey = {
    folder,
    text,
    read: async <Value>(name: string) => JSON.parse(await text(name)) as Value
  }
  const ended = once(child, 'exit').then(([code]) => assert.equal(code, 0, messages))
  await Promise.all([ended, beside?.(journey)])
  return journey
}

/** A server that a script started is no child of ours, but of its group. */
const endGroup = (pid: number): void => {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ESRCH')
  }
}

/** A hundred milliseconds between looks: a minute at most. */
const LOOKS_MAX = 600

export const until = async (
  what: string,
  isTrue: () => boolean | Promise<boolean>
): Promise<void> => {
  for (let looks = 0; looks < LOOKS_MAX; looks++) {
    if (await isTrue()) return
    await sleep(100)
  }
  assert.fail(`waited in vain: ${what}`)
}

export type Visitor = { page: Page; shoot: (name: string) => Promise<void> }

/** A browser at an address; what its console complains about fails the test. */
export const visit = async (t: TestContext, url: string): Promise<Visitor> => {
  await mkdir(shots, { recursive: true })
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
  t.after(() => browser.close())
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
  page.setDefaultTimeout(WAIT_MS_MAX)
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  await page.goto(url)
  return {
    page,
    shoot: async (name) => {
      await page.screenshot({ path: path.join(shots, `${name}.png`), fullPage: true })
      assert.deepEqual(complaints, [], name)
    }
  }
}
