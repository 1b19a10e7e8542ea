import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** `tally` as a process, for tests. */

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url))
export const FLUSH_MS = 500
/** A machine that runs the whole suite at once is slow; a condition that never comes still ends. */
const WAIT_MS_MAX = 120_000

type Ended = { code: number | null; signal: NodeJS.Signals | null }

const children = new Set<ChildProcess>()

const tally = (...args: string[]): ChildProcess => {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--import', 'tsx', MAIN, ...args],
    { stdio: ['ignore', 'pipe', 'pipe'] }
  )
  children.add(child)
  child.once('close', () => children.delete(child))
  return child
}

/** Kills what a failed test left running. */
export const killAll = (): void => {
  for (const child of children) child.kill('SIGKILL')
}

type Output = { code: number | null; out: string; err: string }

export const run = async (...args: string[]): Promise<Output> => {
  const child = tally(...args)
  const [out, err] = [child.stdout!, child.stderr!].map(collect)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out: out!(), err: err!() }
}

const collect = (stream: NodeJS.ReadableStream): (() => string) => {
  const chunks: string[] = []
  stream.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk))
  return () => chunks.join('')
}

export type Up = { url: string; child: ChildProcess; ended: Promise<Ended>; messages: () => string }

export const startUp = async (data: string, ...args: string[]): Promise<Up> => {
  const options = ['--data', data, '--port', '0', '--flush-ms', String(FLUSH_MS), '--json']
  const child = tally('up', ...options, ...args)
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal }) as Ended)
  const messages = collect(child.stderr!)
  const lines = createInterface({ input: child.stdout! })
  const line = await Promise.race([once(lines, 'line'), ended])
  assert.ok(Array.isArray(line), `it ended before it listened: ${messages()}`)
  const { url } = JSON.parse(String(line[0])) as { url: string }
  return { url, child, ended, messages }
}

export const post = async ({ url }: Up, events: readonly object[]): Promise<number> => {
  const response = await fetch(`${url}/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: events.map((event) => JSON.stringify(event)).join('\n')
  })
  assert.equal(response.status, 200, await response.clone().text())
  return ((await response.json()) as { accepted: number }).accepted
}

export const eventAt = (id: string): object => ({
  id,
  time: new Date().toISOString(),
  tenant: 'acme',
  kind: 'llm',
  provider: 'openai',
  response_model: 'gpt-4o-2024-08-06',
  tokens: { in_uncached: 7, out_text: 3 }
})

export const until = async <T>(what: string, look: () => Promise<T | null>): Promise<T> => {
  const deadline = performance.now() + WAIT_MS_MAX
  for (;;) {
    const found = await look()
    if (found !== null) return found
    if (performance.now() > deadline) assert.fail(`waited in vain for ${what}`)
    await sleep(50)
  }
}

export const ready = ({ url }: Up): Promise<true> =>
  until('readiness', async () => ((await fetch(`${url}/readyz`)).ok ? true : null))
