import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { GENERATED_CONTRACTS } from '../../../jobs/chargeback/fixtures/generated-month.ts'
import { landGeneratedMonth } from '../../../jobs/chargeback/fixtures/land-month.ts'
import { parseMonth } from '../../../jobs/chargeback/month.ts'
import { formatUsd } from '../../../schemas/money.ts'
import { Engine } from '../../../services/lake/engine.ts'
import { parquetWriter } from '../../../services/lake/land-table.ts'
import { openLake } from '../../../services/lake/lake.ts'
import { MONTH } from './month.ts'

/** Arguments: folder, file for the prices, number of events. Prints the exact cost of all of them. */
const [data = '', contracts = '', events = ''] = process.argv.slice(2)

/** A few hours of the largest month at once. */
const MEMORY_MIB = 1000

const engine = await Engine.open({ threads: 2, memoryMaxMib: MEMORY_MIB })
const writeParquet = parquetWriter(engine)
const lake = await openLake(path.join(data, 'lake'), { writeParquet, create: true })
const pico = await landGeneratedMonth(
  { engine, lake },
  { ...parseMonth(MONTH), events: Number(events) }
)
await writeFile(contracts, GENERATED_CONTRACTS)
engine.close()
process.stdout.write(JSON.stringify({ truth_usd: formatUsd(pico) }))
