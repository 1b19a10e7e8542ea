import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { chromium, type Page } from 'playwright-core'
import { scratchFolder } from '../../services/lake/scratch-lake.ts'
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

/** Runs a script in a folder of its own, to its end; the server that it wrote down as `serve.pid` ends with the test. */
export const runScript = async (
  t: TestContext,
  script: string,
  { env, bins = [], beside }: Script
): Promise<Journey> => {
  const folder = await scratchFolder(t)
  const bin = path.join(folder, 'bin')
  await writeTally(bin)
  const text = (name: string): Promise<string> => readFile(path.join(folder, name), 'utf8')
  const journey: Journey = {
    folder,
    text,
    read: async <Value>(name: string) => JSON.parse(await text(name)) as Value
  }
  const stopping = new AbortController()
  const running = promisify(execFile)('bash', [fileURLToPath(new URL(script, import.meta.url))], {
    cwd: folder,
    signal: stopping.signal,
    env: { ...env, PATH: [bin, ...bins, env['PATH'] ?? ''].join(path.delimiter) }
  })
  t.after(async () => {
    stopping.abort()
    await running.catch(() => undefined)
    await endServer(journey)
  })
  await Promise.all([running, beside?.(journey)])
  return journey
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const endServer = async ({ text }: Journey): Promise<void> => {
  const pid = Number(await text('serve.pid').catch(() => '0'))
  if (pid === 0 || !isAlive(pid)) return
  process.kill(pid, 'SIGTERM')
  await until('the server has ended', () => !isAlive(pid))
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
