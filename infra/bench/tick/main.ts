import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { loadSignals } from '../../../services/signals/load.ts'
import { runTicks } from './ticks.ts'

/** TICK_TENANTS, TICK_MODELS, TICK_MINUTES and TICK_WARM size it; TICK_SIGNALS names some signals. TICK_STATEMENTS=1 times the database too. */
const sized = (name: string, usual: number): number => Number(process.env[name] ?? usual)

const wanted = process.env['TICK_SIGNALS']?.split(',')
const folder = await mkdtemp(path.join(process.env['BENCH_DIR'] ?? tmpdir(), 'tally-tick-'))
try {
  const holds = await runTicks({
    folder,
    signals: (await loadSignals()).filter(({ id }) => wanted?.includes(id) ?? true),
    tenants: sized('TICK_TENANTS', 10_000),
    models: sized('TICK_MODELS', 5),
    minutes: sized('TICK_MINUTES', 20),
    warmMinutes: sized('TICK_WARM', 8),
    statements: process.env['TICK_STATEMENTS'] === '1',
    print: (line) => process.stdout.write(`${line}\n`)
  })
  process.exitCode = holds ? 0 : 1
} finally {
  await rm(folder, { recursive: true, force: true })
}
