import { join } from 'node:path'
import { pino } from 'pino'
import { EmbeddedLog } from '../stream/embedded/log.ts'
import { startCollector } from './start.ts'

/**
 * The collector alone, on the embedded log in a folder that a consumer shares. Prints its address
 * on stdout; SIGTERM and SIGINT drain it.
 */
const { TALLY_DATA, TALLY_HOST, TALLY_PORT, TALLY_KEYS, TALLY_TENANT } = process.env
const DEFAULT_PORT = 8787

const logger = pino({ name: 'collect' }, pino.destination(2))
const log = new EmbeddedLog(join(TALLY_DATA ?? 'data', 'log'))
const collector = await startCollector({
  log,
  host: TALLY_HOST ?? '127.0.0.1',
  port: TALLY_PORT === undefined ? DEFAULT_PORT : Number(TALLY_PORT),
  keyFile: TALLY_KEYS ?? null,
  settings: { tenantDefault: TALLY_TENANT ?? null },
  logger,
  now: () => new Date()
})
process.stdout.write(`${collector.url}\n`)

const stop = async (signal: string): Promise<void> => {
  logger.info({ signal }, 'draining')
  await collector.close()
  await log.close()
  process.exitCode = 0
}
process.once('SIGTERM', (signal) => void stop(signal))
process.once('SIGINT', (signal) => void stop(signal))
