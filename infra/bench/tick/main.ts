import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { loadSignals } from '../../../services/signals/load.ts'
import { historyMinutes, ticksByAge } from './history.ts'
import { reportHistory, reportStates, reportTicks } from './report.ts'
import { runTicks } from './ticks.ts'

/**
 * What a tick takes at full size, and, with fewer tenants, whether it takes the same after days.
 * TICK_TENANTS, TICK_MODELS, TICK_MINUTES, TICK_WARM and TICK_HISTORY_TENANTS size it, 0 leaves a
 * part out; TICK_SIGNALS names some signals. TICK_STATEMENTS=1 times the database too.
 */
const sized = (name: string, usual: number): number => Number(process.env[name] ?? usual)

const wanted = process.env['TICK_SIGNALS']?.split(',')
const common = {
  signals: (await loadSignals()).filter(({ id }) => wanted?.includes(id) ?? true),
  models: sized('TICK_MODELS', 5),
  statements: process.env['TICK_STATEMENTS'] === '1',
  print: (line: string) => process.stdout.write(`${line}\n`)
}
const { print } = common

const run = async (tenants: number, minutes: readonly number[]) => {
  const folder = await mkdtemp(path.join(process.env['BENCH_DIR'] ?? tmpdir(), 'tally-tick-'))
  try {
    return await runTicks({ ...common, folder, tenants, minutes })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const fullSize = async (tenants: number): Promise<boolean> => {
  const minutes = Array.from({ length: sized('TICK_MINUTES', 30) }, (_, minute) => minute)
  const { ticks, states } = await run(tenants, minutes)
  const areSmall = reportStates(states, print)
  return reportTicks(ticks, sized('TICK_WARM', 10), print) && areSmall
}

const history = async (tenants: number): Promise<boolean> => {
  const minutes = historyMinutes()
  const { ticks, states } = await run(tenants, minutes)
  const areSmall = reportStates(states, print)
  return reportHistory(ticksByAge(minutes, ticks), print) && areSmall
}

const results: boolean[] = []
for (const [tenants, part] of [
  [sized('TICK_TENANTS', 10_000), fullSize],
  [sized('TICK_HISTORY_TENANTS', 2_000), history]
] as const) {
  if (tenants > 0) results.push(await part(tenants))
}
process.exitCode = results.every(Boolean) ? 0 : 1
