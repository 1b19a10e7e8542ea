import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { pino } from 'pino'
import { foldedUntilMs } from '../../../jobs/detect/detect.ts'
import { readAlertConfig, type AlertConfig } from '../../../jobs/alert/config.ts'
import type { AlertJob } from '../../../jobs/alert/job.ts'
import { channelDoors, openAlerts, openSiteStore } from '../../../jobs/alert/open.ts'
import { recordAction } from '../../../jobs/alert/record-action.ts'
import { logLanes, runAlerts } from '../../../jobs/alert/run-alerts.ts'
import { readFold } from '../../../jobs/alert/step.ts'
import { tryChannel } from '../../../jobs/alert/try-channel.ts'
import { Failure } from '../../../schemas/failure.ts'
import type { IncidentAction } from '../../../schemas/incidents.ts'
import { defineCommand, EXIT, type CommandIo, type CommandRun } from '../command.ts'
import { openLakeSite, openLog, type LakeSite } from '../site.ts'

const ACTIONS = 'run, test CHANNEL, status, acknowledge FINGERPRINT, mute [FINGERPRINT], unmute'

export default defineCommand({
  summary: 'Tell channels of incidents; try a channel; acknowledge and mute.',
  configure: (command) => {
    command
      .argument('<action>', ACTIONS)
      .argument('[target]', 'channel or fingerprint')
      .option('--data <dir>', 'folder of the lake and the log')
      .option('--brokers <list>', 'Kafka bootstrap servers; default: the log in the folder')
      .option('--config <file>', 'YAML file with channels')
      .option('--once', 'run: tell what waits, then end; 1 when a channel could not be told')
      .option('--tenant <name>', 'mute, unmute: only of this tenant')
      .option('--signal <id>', 'mute, unmute: only of this signal')
      .option('--until <time>', 'mute: RFC 3339, at most four weeks ahead')
      .option('--by <name>', 'who does it')
      .option('--note <text>', 'why', '')
  },
  run: (call) => {
    const action = call.args[0] ?? ''
    const known = Object.hasOwn(RUNS, action) ? RUNS[action] : undefined
    if (known !== undefined) return known(call)
    throw new Failure('E_USAGE', `alert can't ${action}`, { hint: `It can: ${ACTIONS}` })
  }
})

const option = ({ options }: CommandRun, name: string): string | null => {
  const value = options[name]
  return typeof value === 'string' ? value : null
}

const requireOption = (call: CommandRun, name: string): string => {
  const value = option(call, name)
  if (value !== null) return value
  throw new Failure('E_USAGE', `alert ${call.args[0] ?? ''} needs --${name}`)
}

const readConfig = async (call: CommandRun): Promise<AlertConfig> => {
  const file = requireOption(call, 'config')
  return readAlertConfig(await readFile(file, 'utf8'), file)
}

const siteOf = (site: LakeSite, io: CommandIo) => ({
  ...site,
  log: null,
  watermarkMs: foldedUntilMs,
  clock: io.now,
  random: Math.random
})

const run = async (call: CommandRun): Promise<number> => {
  const { io, options } = call
  const place = { data: requireOption(call, 'data'), brokers: option(call, 'brokers') ?? undefined }
  const config = await readConfig(call)
  const site = await openLakeSite(place, true)
  const log = config.channels.some(({ kind }) => kind === 'kafka-topic') ? openLog(place) : null
  try {
    const observer = logLanes(pino({ name: 'alert' }, io.stderr))
    const job = await openAlerts({ ...siteOf(site, io), log }, config, observer)
    if (options['once'] !== true) {
      await runUntilStopped(job)
      return EXIT.ok
    }
    await job.poke()
    const reports = await job.drain(new AbortController().signal)
    print(io, Object.fromEntries(reports))
    return [...reports.values()].every(({ kind }) => kind === 'idle') ? EXIT.ok : EXIT.failure
  } finally {
    await log?.close()
    site.close()
  }
}

/** SIGTERM and SIGINT end it after what is being told; a failing lake ends it with an error. */
const runUntilStopped = async (job: AlertJob): Promise<void> => {
  const stop = new AbortController()
  const asked = [once(process, 'SIGTERM', stop), once(process, 'SIGINT', stop)]
  const running = runAlerts(job, stop.signal)
  try {
    await Promise.race([running, ...asked])
  } finally {
    stop.abort()
    await Promise.allSettled(asked)
    await running
  }
}

const test = async (call: CommandRun): Promise<number> => {
  const data = option(call, 'data')
  const log =
    data === null ? null : openLog({ data, brokers: option(call, 'brokers') ?? undefined })
  try {
    const doors = channelDoors({ clock: call.io.now, log })
    const outcome = await tryChannel(call.args[1] ?? '', await readConfig(call), doors)
    print(call.io, outcome)
    return outcome.kind === 'delivered' ? EXIT.ok : EXIT.failure
  } finally {
    await log?.close()
  }
}

const status = async (call: CommandRun): Promise<number> => {
  const site = await openLakeSite({ data: requireOption(call, 'data') })
  try {
    const { state } = await site.lake.head()
    const { incidents, mutes, strays } = readFold(state)
    const channels = [...state].filter(([key]) => key.startsWith('alert/channel/'))
    print(call.io, { incidents, mutes, strays, channels: Object.fromEntries(channels) })
    return EXIT.ok
  } finally {
    site.close()
  }
}

const act = async (call: CommandRun): Promise<number> => {
  const site = await openLakeSite({ data: requireOption(call, 'data') })
  try {
    const store = openSiteStore(siteOf(site, call.io))
    print(call.io, await recordAction(store, actionOf(call)))
    return EXIT.ok
  } finally {
    site.close()
  }
}

const actionOf = (call: CommandRun): IncidentAction => ({
  at: call.io.now().toISOString(),
  by: option(call, 'by') ?? call.io.env['USER'] ?? 'unknown',
  note: option(call, 'note') ?? '',
  action: call.args[0] as IncidentAction['action'],
  fingerprint: call.args[1] ?? null,
  tenant: option(call, 'tenant'),
  signal: option(call, 'signal'),
  until: timeOf(option(call, 'until'))
})

const timeOf = (text: string | null): string | null => {
  if (text === null) return null
  const atMs = Date.parse(text)
  if (!Number.isNaN(atMs)) return new Date(atMs).toISOString()
  throw new Failure('E_USAGE', `--until ${text} is not a time`, { hint: 'Write it as RFC 3339.' })
}

const print = (io: CommandIo, value: unknown): void => {
  io.stdout.write(`${JSON.stringify(value)}\n`)
}

const RUNS: Readonly<Record<string, (call: CommandRun) => Promise<number>>> = {
  run,
  test,
  status,
  acknowledge: act,
  mute: act,
  unmute: act
}
