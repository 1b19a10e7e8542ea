import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { link, mkdir, readdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { openLake } from '../../../services/lake/lake.ts'
import { settledHours } from '../../../services/lake/settled-hours.ts'

/**
 * How fast overview and explore answer over settled data: `CALLS` in millions (default 1,10,100), `RUNS`
 * of each question. A lake is written once and kept in `BENCH_DIR`; each run works on a copy by links.
 */
const root = process.env['BENCH_DIR'] ?? path.join(import.meta.dirname, '../../../.tmp/bench')
const RUNS = process.env['RUNS'] ?? '20'
const MILLION = 1e6

const say = (text: string): void => void process.stdout.write(`${text}\n`)

/** A process of its own: what one size leaves in memory says nothing of the next. */
const run = async (file: string, args: readonly string[]): Promise<void> => {
  const at = fileURLToPath(new URL(file, import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', at, ...args], { stdio: 'inherit' })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${file} ended with ${code}`)
}

/** A folder again, its files by hard links: those of a lake are never written to again. */
const linked = async (from: string, to: string): Promise<void> => {
  await mkdir(to, { recursive: true })
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)]
    await (entry.isDirectory() ? linked(source, target) : link(source, target))
  }
}

const tellShape = async (dir: string, millions: number): Promise<void> => {
  const lake = await openLake(dir, { writeParquet: () => Promise.reject(new Error('read only')) })
  const head = await lake.head()
  const files = [...(head.files.get('windows_settled')?.values() ?? [])]
  const windows = files.reduce((sum, { rows }) => sum + rows, 0)
  const hours = settledHours(head)
  const calls = hours.reduce((sum, { events }) => sum + events, 0)
  say(
    `${millions} M calls: ${hours.length} settled hours of ${(calls / MILLION).toFixed(1)} M calls in ` +
      `${(windows / MILLION).toFixed(1)} M windows (${(calls / windows).toFixed(1)} calls a window); ` +
      'the last day settled by the job, the others that day moved'
  )
}

for (const millions of (process.env['CALLS'] ?? '1,10,100').split(',').map(Number)) {
  const dir = path.join(root, `serve-${millions}m`)
  const calls = String(millions * MILLION)
  if (!existsSync(dir)) {
    await rm(`${dir}.part`, { recursive: true, force: true })
    await run('./write.ts', [`${dir}.part`, calls])
    await rename(`${dir}.part`, dir)
  }
  const copy = `${dir}.run`
  try {
    await rm(copy, { recursive: true, force: true })
    await linked(dir, copy)
    await tellShape(copy, millions)
    await run('./measure.ts', [copy, calls, RUNS])
  } finally {
    await rm(copy, { recursive: true, force: true })
  }
}
