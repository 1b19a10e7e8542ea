import { readFile } from 'node:fs/promises'
import type { AlertConfig } from '../../../jobs/alert/config.ts'
import { Failure } from '../../../schemas/failure.ts'
import { loadPolicies } from '../../flight/policy.ts'
import type { Intakes } from '../../collect/sources-file.ts'
import { defineCommand, EXIT, type CommandRun } from '../command.ts'
import { resolveSettings, type Given, type Settings } from '../config/settings.ts'
import { meterAddresses } from '../up/meter-reader.ts'
import type { UpOptions } from '../up/run.ts'

// Named first: TypeScript 6.0 leaves `.ts` in imports that an exported default expression holds.
const command = defineCommand({
  summary: 'Run it all in one process: collector, consumer, detection, alerts, settling, upkeep.',
  configure: (command) => {
    command
      .option('--config <file>', 'YAML file of settings; flags and TALLY_… come before it')
      .option('--data <dir>', 'folder of the log and the lake')
      .option('--brokers <list>', 'Kafka bootstrap servers; the embedded log without them')
      .option('--host <host>', 'address to listen on; 127.0.0.1 by default')
      .option('--port <port>', 'port to listen on, 8787 by default; 0 = any free one')
      .option('--keys <file>', 'file of API keys; required beyond loopback')
      .option('--tenant <name>', 'who pays for input that names no tenant')
      .option('--sources <file>', 'YAML file of dialects with options, and of topics to take in')
      .option('--flight <file>', 'YAML file of whose contents are recorded; none without it')
      .option('--meters <list>', 'addresses of GPU exporters to scrape, separated by commas')
      .option('--alert-config <file>', 'YAML file with channels; findings are kept without it')
      .option(
        '--flush-ms <ms>',
        'longest time that an event waits before it is landed, 5000 by default'
      )
      .option('--log-level <level>', 'debug, info, warn, error or silent; info by default')
      .option('--no-collect', 'take no events; another process does')
      .option('--no-consume', 'land nothing; another process does')
      .option('--no-serve', 'no API; another process answers')
      .option('--no-jobs', 'no detection, alerts, settling and upkeep; another process does')
  },
  run: async (call) => {
    const { settings } = await resolveSettings(givenTo(call))
    const options = await upOptions(call, settings)
    const { io } = call
    // Loaded only now, so that a wrong option is told at once.
    const [{ pino }, { runUp }, { listenForStop }] = await Promise.all([
      import('pino'),
      import('../up/run.ts'),
      import('../up/signals.ts')
    ])
    const stopping = listenForStop((text) => io.stderr.write(`${text}\n`))
    const started = (url: string | null): void => tellStarted(call, url)
    try {
      const logger = pino({ name: 'up', level: settings.log_level }, io.stderr)
      await runUp(options, { logger, now: io.now, started }, stopping.signal)
      return EXIT.ok
    } finally {
      stopping.forget()
    }
  }
})

export default command

const givenTo = ({ options, io }: CommandRun): Given => {
  const text = options as Record<string, string | undefined>
  const flags = {
    ...pick(text, [
      'data',
      'brokers',
      'host',
      'port',
      'keys',
      'tenant',
      'sources',
      'flight',
      'meters'
    ]),
    ...pick({ alert_config: text['alertConfig'] }, ['alert_config']),
    ...pick({ flush_ms: text['flushMs'], log_level: text['logLevel'] }, ['flush_ms', 'log_level'])
  }
  return { flags, env: io.env, file: text['config'] ?? io.env['TALLY_CONFIG'] ?? null }
}

const pick = (values: Record<string, string | undefined>, names: readonly string[]) =>
  Object.fromEntries(
    names.flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]]]))
  ) as Record<string, string>

const upOptions = async ({ options }: CommandRun, settings: Settings): Promise<UpOptions> => {
  const parts = {
    collect: options['collect'] !== false,
    consume: options['consume'] !== false,
    jobs: options['jobs'] !== false,
    serve: options['serve'] !== false
  }
  if (!Object.values(parts).includes(true)) {
    throw new Failure('E_USAGE', '--no-collect --no-consume --no-jobs leave nothing to run')
  }
  const { data, brokers, flight } = settings
  if (data === null) {
    throw new Failure('E_USAGE', 'no folder is named', {
      hint: 'Give --data, TALLY_DATA, or data in the file of settings.'
    })
  }
  return {
    place: { data, brokers: brokers ?? undefined },
    host: settings.host,
    port: settings.port,
    keyFile: settings.keys,
    tenantDefault: settings.tenant,
    ...(await moneyOf(settings)),
    flights: flight === null ? null : await loadPolicies(flight),
    alerts: await alertsOf(settings.alert_config),
    meters: meterAddresses(settings.meters),
    intakes: await intakesOf(settings.sources),
    flushMsMax: Math.max(1, settings.flush_ms),
    parts
  }
}

/** What concerns money, read once at the start so that a wrong file is told now. */
const moneyOf = async (settings: Settings): Promise<Pick<UpOptions, 'money' | 'budgetsUsd'>> => {
  const { readMoney } = await import('../up/money-settings.ts')
  return readMoney(settings)
}

const intakesOf = async (file: string | null): Promise<Intakes> => {
  const { defaultIntakes, loadIntakes } = await import('../../collect/sources-file.ts')
  return file === null ? defaultIntakes() : loadIntakes(file)
}

/** The configuration of alerts, checked whole: a wrong channel is told now and not at its first alert. */
const alertsOf = async (file: string | null): Promise<AlertConfig> => {
  const { checkEntries, readAlertConfig } = await import('../../../jobs/alert/config.ts')
  if (file === null) return readAlertConfig('', '--alert-config')
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

/** With --json, one object on stdout; for people, a sentence on stderr. */
const tellStarted = ({ io, options }: CommandRun, url: string | null): void => {
  if (options['json'] === true) io.stdout.write(`${JSON.stringify({ url })}\n`)
  const page = options['serve'] === false ? '' : `; the page is at ${url}/`
  const doing = url === null ? 'running' : `collecting on ${url}${page}`
  io.stderr.write(`${doing}; stop with Ctrl-C\n`)
}
