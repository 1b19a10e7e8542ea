import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { closeMonth } from '../../../jobs/chargeback/close.ts'
import {
  generatedBook,
  landGeneratedMonth
} from '../../../jobs/chargeback/fixtures/generated-month.ts'
import { parseMonth } from '../../../jobs/chargeback/month.ts'
import { NO_RULES } from '../../../jobs/chargeback/rules.ts'
import { Engine } from '../../../services/lake/engine.ts'
import { parquetWriter } from '../../../services/lake/land-table.ts'
import { openLake } from '../../../services/lake/lake.ts'
import { loadBook } from '../../../services/rates/prices/book.ts'

/** Closes generated months of EVENTS events (a list) and prints what each took, as JSON lines. */
const sizes = (process.env['EVENTS'] ?? '1000000,10000000,100000000').split(',').map(Number)
const MEMORY_MIB = 1000
const MIB = 2 ** 20
const month = parseMonth('2026-10')
const prices = generatedBook(await loadBook())

for (const events of sizes) {
  const folder = await mkdtemp(path.join(process.env['BENCH_DIR'] ?? tmpdir(), 'tally-close-'))
  const engine = await Engine.open({
    threads: 2,
    memoryMaxMib: MEMORY_MIB,
    spillFolder: path.join(folder, 'spill')
  })
  try {
    const writeParquet = parquetWriter(engine)
    const lake = await openLake(path.join(folder, 'lake'), { writeParquet, create: true })
    await landGeneratedMonth({ engine, lake }, { ...month, prices, events })
    const [cpu, startMs] = [process.cpuUsage(), performance.now()]
    const { close } = await closeMonth(
      { engine, lake, generation: 'bench' },
      {
        month,
        books: { contracted: prices, list: prices },
        rules: NO_RULES,
        closedUntilMs: month.toMs,
        signOff: { checks: [], by: null },
        nowMs: month.toMs
      }
    )
    const { user, system } = process.cpuUsage(cpu)
    const figures = {
      events,
      seconds: (performance.now() - startMs) / 1000,
      cpu_seconds: (user + system) / 1e6,
      // Of the whole process, landing included.
      memory_mib_max: Math.round((process.resourceUsage().maxRSS * 1024) / MIB),
      bill_usd: close.manifest.totals.bill_usd
    }
    process.stdout.write(`${JSON.stringify(figures)}\n`)
  } finally {
    engine.close()
    await rm(folder, { recursive: true, force: true })
  }
}
