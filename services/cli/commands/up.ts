import { readFile } from 'node:fs/promises'
import type { AlertConfig } from '../../../jobs/alert/config.ts'
import { Failure } from '../../../schemas/failure.ts'
import { loadPolicies } from '../../flight/policy.ts'
import type { Intakes } from '../../collect/sources-file.ts'
import { defineCommand, EXIT, type CommandRun } from '../command.ts'
import { wholeNumber } from '../number-option.ts'
import type { UpOptions } from '../up/run.ts'

/** Where tools that speak to us look first; free of the ports of Kafka, Prometheus and Grafana. */
const PORT = '8787'
/** A minute's windows stay fresh, and an idle day makes no more than 17,000 files. */
const FLUSH_MS = '5000'
const LEVELS = ['debug', 'info', 'warn', 'error', 'silent']

export default defineCommand({
  summary: 'Run it all in one process: collector, consumer, detection, alerts, settling, upkeep.',
  configure: (command) => {
    command
      .requiredOption('--data <dir>', 'folder of the log and the lake')
      .option('--brokers <list>', 'Kafka bootstrap servers; the embedded log without them')
      .option('--host <host>', 'address to listen on', '127.0.0.1')
      .option('--port <port>', 'port to listen on; 0 = any free one', PORT)
      .option('--keys <file>', 'file of API keys; required beyond loopback')
      .option('--tenant <name>', 'who pays for input that names no tenant')
      .option('--sources <file>', 'YAML file of dialects with options, and of topics to take in')
      .option('--flight <file>', 'YAML file of whose contents are recorded; none without it')
      .option('--alert-config <file>', 'YAML file with channels; findings are kept without it')
      .option('--flush-ms <ms>', 'longest time that an event waits before it is landed', FLUSH_MS)
      .option('--log-level <level>', LEVELS.join(', '), 'info')
      .option('--no-collect', 'take no events; another process does')
      .option('--no-consume', 'land nothing; another process does')
      .option('--no-serve', 'no API; another process answers')
      .option('--no-jobs', 'no detection, alerts, settling and upkeep; another process does')
  },
  run: async (call) => {
    const options = await upOptions(call)
    const { io } = call
    // Loaded only now, so that a wrong option is told at once.
    const [{ pino }, { runUp }, { listenForStop }] = await Promise.all([
      import('pino'),
      import('../up/run.ts'),
      import('../up/signals.ts')
    ])
    const level = choice('--log-level', String(call.options['logLevel']), LEVELS)
    const stopping = listenForStop((text) => io.stderr.write(`${text}\n`))
    const started = (url: string | null): void => tellStarted(call, url)
    try {
      const logger = pino({ name: 'up', level }, io.stderr)
      await runUp(options, { logger, now: io.now, started }, stopping.signal)
      return EXIT.ok
    } finally {
      stopping.forget()
    }
  }
})

const upOptions = async ({ options }: CommandRun): Promise<UpOptions> => {
  const text = options as Record<string, string | undefined>
  const parts = {
    collect: options['collect'] !== false,
    consume: options['consume'] !== false,
    jobs: options['jobs'] !== false,
    serve: options['serve'] !== false
  }
  if (!Object.values(parts).includes(true)) {
    throw new Failure('E_USAGE', '--no-collect --no-consume --no-jobs leave nothing to run')
  }
  return {
    place: { data: text['data'] ?? '', brokers: text['brokers'] },
    host: text['host'] ?? '',
    port: wholeNumber('--port', text['port'] ?? PORT, 65_535),
    keyFile: text['keys'] ?? null,
    tenantDefault: text['tenant'] ?? null,
    flights: text['flight'] === undefined ? null : await loadPolicies(text['flight']),
    alerts: await alertsOf(text['alertConfig']),
    intakes: await intakesOf(text['sources']),
    flushMsMax: Math.max(1, wholeNumber('--flush-ms', text['flushMs'] ?? FLUSH_MS, FLUSH_MS_MAX)),
    parts
  }
}

const intakesOf = async (file: string | undefined): Promise<Intakes> => {
  const { defaultIntakes, loadIntakes } = await import('../../collect/sources-file.ts')
  return file === undefined ? defaultIntakes() : loadIntakes(file)
}

/** The configuration of alerts, checked whole: a wrong channel is told now and not at its first alert. */
const alertsOf = async (file: string | undefined): Promise<AlertConfig> => {
  const { checkEntries, readAlertConfig } = await import('../../../jobs/alert/config.ts')
  if (file === undefined) return readAlertConfig('', '--alert-config')
  const { loadChannels } = await import('../../../jobs/alert/load-channels.ts')
  const config = readAlertConfig(await readText(file), file)
  checkEntries(config, await loadChannels())
  return config
}

const readText = async (file: string): Promise<string> => {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new Failure('E_USAGE', `--alert-config: ${(cause as Error).message}`, { cause })
  }
}

/** Beyond an hour, memory and not time decides when a batch is landed. */
const FLUSH_MS_MAX = 3_600_000

const choice = (name: string, text: string, known: readonly string[]): string => {
  if (known.includes(text)) return text
  throw new Failure('E_USAGE', `${name} ${text} is unknown`, { hint: `Use ${known.join(', ')}.` })
}

/** With --json, one object on stdout; for people, a sentence on stderr. */
const tellStarted = ({ io, options }: CommandRun, url: string | null): void => {
  if (options['json'] === true) io.stdout.write(`${JSON.stringify({ url })}\n`)
  const doing = url === null ? 'running' : `collecting on ${url}`
  io.stderr.write(`${doing}; stop with Ctrl-C\n`)
}
