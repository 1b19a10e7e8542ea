import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { MONTH } from './month.ts'

/**
 * Generates months of EVENTS events (a list) and closes each by the real command in a process of
 * its own. Prints what each process took as JSON lines: nothing of it is shared with the bench.
 */
const sizes = (process.env['EVENTS'] ?? '1000000,10000000,100000000').split(',').map(Number)
const root = process.env['BENCH_DIR'] ?? tmpdir()

type Used = { seconds: number; cpu_seconds: number; memory_mib_max: number }
type Finished = { output: string; used: Used }

/** Runs a file under tsx, and hears at its end what it took. */
const run = async (file: string, args: readonly string[]): Promise<Finished> => {
  const at = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', '--import', at('./measured.ts'), at(file), ...args],
    { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] }
  )
  const [output, used] = [child.stdio[1], child.stdio[3]].map((stream) => {
    const chunks: string[] = []
    stream?.on('data', (chunk: Buffer) => chunks.push(chunk.toString()))
    return chunks
  })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${file} ended with ${code}`)
  return { output: output?.join('') ?? '', used: JSON.parse(used?.join('') ?? '') as Used }
}

for (const events of sizes) {
  const data = await mkdtemp(path.join(root, 'tally-close-'))
  try {
    const contracts = path.join(data, 'contracts.yaml')
    const made = await run('./generate.ts', [data, contracts, String(events)])
    const { truth_usd: truth } = JSON.parse(made.output) as { truth_usd: string }
    const command = ['close', MONTH, '--data', data, '--contracts', contracts, '--json']
    const closed = await run('../../../services/cli/main.ts', command)
    const { bill_usd: bill } = JSON.parse(closed.output) as { bill_usd: string }
    const figures = {
      events,
      ...closed.used,
      bill_usd: bill,
      truth_usd: truth,
      generate: made.used
    }
    process.stdout.write(`${JSON.stringify(figures)}\n`)
  } finally {
    await rm(data, { recursive: true, force: true })
  }
}
