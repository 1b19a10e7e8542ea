import { meter, type MeterResult } from '../../../jobs/energy/meter.ts'
import { readMeterFile, sourceName } from '../../../jobs/energy/meter-files.ts'
import { Failure } from '../../../schemas/failure.ts'
import { BOARD_WATTS_MAX } from '../../rates/energy/metered/meter-reading.ts'
import { parseRfc3339 } from '../../rates/grid/rfc3339.ts'
import { EXIT, type CommandRun } from '../command.ts'
import { openLakeSite } from '../site.ts'

type Options = { data?: string; host?: string; at?: string; idleWatts?: string; json?: true }

/** `tally energy meter FILE… --data DIR`: without files, what came late is taken up. */
export const runMeter = async ({ args, options, io }: CommandRun): Promise<number> => {
  const { data, host = null, at, idleWatts, json } = options as Options
  if (data === undefined) throw new Failure('E_USAGE', 'energy meter needs --data DIR')
  const timeMs = at === undefined ? null : timeOf('--at', at)
  const watts = idleWatts === undefined ? null : wattsOf(idleWatts)
  const source = { host, timeMs, nowMs: io.now().getTime() }
  const files = []
  for (const from of args.slice(1)) {
    const file = await readMeterFile({ ...source, from })
    files.push(file)
    if (file.ignored.length > 0)
      io.stderr.write(`${sourceName(from)}: ignored ${file.ignored.join(', ')}\n`)
  }
  const site = await openLakeSite({ data })
  try {
    const result = await meter(site, { files, idleWatts: watts })
    io.stdout.write(json === true ? `${JSON.stringify(snake(result))}\n` : text(result))
    warn(result, io)
    return EXIT.ok
  } finally {
    site.close()
  }
}

/** An option's RFC 3339 time, or the start of a day in UTC. @throws Failure E_USAGE */
export const timeOf = (name: string, text: string): number => {
  const timeMs = parseRfc3339(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text)
  if (timeMs !== null) return timeMs
  throw new Failure('E_USAGE', `${name} ${text} is no time such as 2026-03-01T10:00:00Z`)
}

const wattsOf = (text: string): number => {
  const watts = Number(text)
  if (text.trim() !== '' && watts >= 0 && watts <= BOARD_WATTS_MAX) return watts
  throw new Failure('E_USAGE', `--idle-watts ${text} is no number from 0 to ${BOARD_WATTS_MAX}`)
}

const snake = (result: MeterResult) => ({
  readings: result.readings,
  days: result.days,
  rows: result.rows,
  corrections: result.corrections,
  hosts_without_floor: result.withoutFloor,
  hosts_without_calls: result.withoutCalls,
  energy_lost: result.lost
})

const text = ({ readings, days, rows, corrections }: MeterResult): string =>
  `${readings} readings taken in, ${days} days split, ${rows} rows, ${corrections} of them corrections\n`

const warn = ({ withoutFloor, withoutCalls, lost }: MeterResult, io: CommandRun['io']): void => {
  for (const { host, gpu, spans, seconds } of lost) {
    io.stderr.write(
      `${host}, GPU ${gpu}: its counter was reset or jumped ${spans} times, and what it drew in ${seconds} s is not known\n`
    )
  }
  if (withoutFloor.length > 0) {
    io.stderr.write(
      `never quiet, so nothing counts as idle: ${withoutFloor.join(', ')}; give --idle-watts\n`
    )
  }
  if (withoutCalls.length > 0) {
    io.stderr.write(`no call ran on ${withoutCalls.join(', ')}: do events name their host so?\n`)
  }
}
