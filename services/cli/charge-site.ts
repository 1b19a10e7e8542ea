import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Books } from '../../jobs/chargeback/day-lines.ts'
import type { ChargeDoors } from '../../jobs/chargeback/ledger.ts'
import { NO_RULES, parseRules, type Rules } from '../../jobs/chargeback/rules.ts'
import { CLOSING_DELAY_MS, HOUR_MS, openFrom } from '../../jobs/settle/closed-hours.ts'
import { Failure } from '../../schemas/failure.ts'
import { generationOf } from '../consume/generation.ts'
import type { Head } from '../lake/commit.ts'
import { Engine } from '../lake/engine.ts'
import { parquetWriter } from '../lake/land-table.ts'
import { openLake } from '../lake/lake.ts'
import { bookWith, loadBook } from '../rates/prices/book.ts'
import { parseContracts } from '../rates/prices/contracts.ts'
import { eventPartitions, lakeFolder, openLog, type SiteOptions } from './site.ts'

/** Options that every command about charges has. */
export type ChargeOptions = SiteOptions & { contracts?: string; rules?: string; asOf?: string }

export type ChargeSite = ChargeDoors & {
  books: Books
  rules: Rules
  /** The version that was asked for with `--as-of`, or the newest. */
  head: () => Promise<Head>
  close: () => void
}

/** Beside what DuckDB manages, Node and the files being read need the rest of two gibibytes. */
const MEMORY_MAX_MIB = 1000

export const openChargeSite = async (options: ChargeOptions): Promise<ChargeSite> => {
  const spillFolder = path.join(options.data, 'spill')
  const engine = await Engine.open({ threads: 2, memoryMaxMib: MEMORY_MAX_MIB, spillFolder })
  const lake = await openLake(lakeFolder(options), { writeParquet: parquetWriter(engine) })
  const shipped = await loadBook()
  const { contracts, rules, asOf } = options
  const own = contracts === undefined ? null : parseContracts(await readText(contracts))
  // A model of one's own has the same price on both sides; what was negotiated comes off one.
  const list = own === null ? shipped : bookWith(shipped, { rows: own.rows })
  return {
    engine,
    lake,
    generation: generationOf(shipped),
    books: { list, contracted: own === null ? shipped : bookWith(shipped, own) },
    rules: rules === undefined ? NO_RULES : parseRules(await readText(rules)),
    head: async () => (asOf === undefined ? lake.head() : lake.headAt(versionOf(asOf))),
    close: () => engine.close()
  }
}

const versionOf = (text: string): number => {
  const version = Number(text)
  if (Number.isSafeInteger(version) && version >= 0) return version
  throw new Failure('E_USAGE', `--as-of ${text} is not a version of the lake`, {
    hint: 'tally sql "SELECT max(version) FROM ranges" and the manifest of a close show versions.'
  })
}

export const readText = async (file: string): Promise<string> => {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new Failure('E_USAGE', `${file} can not be read: ${String(cause)}`, { cause })
  }
}

/**
 * Time before which every hour is closed. A lake without a log, or beside one that never held a
 * topic, waits for nothing: there the clock decides.
 */
export const closedUntil = async (
  options: SiteOptions,
  head: Head,
  nowMs: number
): Promise<number | null> => {
  const byClock = Math.floor((nowMs - CLOSING_DELAY_MS) / HOUR_MS) * HOUR_MS
  const isThere = options.brokers !== undefined || existsSync(path.join(options.data, 'log'))
  if (!isThere) return byClock
  const log = openLog(options)
  try {
    const partitions = await eventPartitions(log)
    return partitions.length === 0 ? byClock : openFrom(head, partitions, nowMs)
  } finally {
    await log.close()
  }
}
