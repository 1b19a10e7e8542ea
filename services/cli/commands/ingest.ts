import { pino } from 'pino'
import type { Finding } from '../../../schemas/finding.ts'
import { EVENTS_TOPIC } from '../../../schemas/topics.ts'
import type { Fault } from '../../collect/fault.ts'
import type { IngestCounts } from '../../collect/ingest/counts.ts'
import { PARTITIONS } from '../../collect/start.ts'
import type { EventLog } from '../../stream/log.ts'
import { defineCommand, EXIT, type CommandIo, type CommandRun } from '../command.ts'
import { ingestInput, takeInput } from '../ingest-input.ts'
import { landThrough, type LandingReport, type Stage } from '../land-through.ts'
import { openLakeSite, openLog } from '../site.ts'

/** Faults shown one by one; beyond it the count says enough. */
const FAULTS_SHOWN_MAX = 20
const PROGRESS_INTERVAL_MS = 1000

const faultTeller = (io: CommandIo): ((fault: Fault, line: number) => void) => {
  let shown = 0
  return ({ code, message, seen }, line) => {
    if (++shown > FAULTS_SHOWN_MAX) return
    const value = seen === null ? '' : ` (seen: ${seen})`
    io.stderr.write(`line ${line}: ${code}: ${message}${value}\n`)
    if (shown === FAULTS_SHOWN_MAX) io.stderr.write('more faults are counted, not shown\n')
  }
}

const progressTeller = (io: CommandIo): ((counts: IngestCounts) => void) => {
  let toldMs = io.now().getTime()
  return ({ events, readBytes, storedBytes }) => {
    const nowMs = io.now().getTime()
    if (nowMs - toldMs < PROGRESS_INTERVAL_MS) return
    toldMs = nowMs
    const share = storedBytes ? ` (${Math.floor((readBytes / storedBytes) * 100)} %)` : ''
    io.stderr.write(`${events} events${share}\n`)
  }
}

export default defineCommand({
  summary: 'Take a file or topic in any known dialect through the log into the lake.',
  configure: (command) => {
    command
      .argument('[file]', 'file, gzip or not; - for stdin')
      .requiredOption('--data <dir>', 'folder of the log and the lake')
      .option('--brokers <list>', 'Kafka bootstrap servers; the embedded log without them')
      .option('--topic <name>', 'instead of a file: a topic of others, up to where it ends now')
      .option('--as <dialect>', 'what the file or topic holds; mapping with --map')
      .option('--map <file>', 'YAML file that maps JSON of any shape to native fields')
      .option('--option <name=value...>', 'what the dialect is told: registry=…, year=…, model=…')
      .option('--tenant <name>', 'who pays where the file does not say')
      .option('--from-start', 'read the whole file again, whatever an earlier run took in')
      .option('--no-land', 'return once the log has it; a running `tally up` lands it')
  },
  run: async (call) => {
    const { options, io } = call
    const { data = '', brokers } = options as Record<string, string | undefined>
    const place = { data, brokers }
    const startedMs = io.now().getTime()
    const log = openLog(place)
    const site = options['land'] === false ? null : await openLakeSite(place, true)
    try {
      await log.ensureTopic(EVENTS_TOPIC, PARTITIONS)
      const since = site === null ? 0 : (await site.lake.head()).version
      const counts = await takeIn(call, log)
      const landing = site === null ? null : await land({ place, log, site }, since, io)
      const seconds = (io.now().getTime() - startedMs) / 1000
      report(io, { ...counts, landing, seconds }, options['json'] === true)
      return counts.refused > 0 ? EXIT.failure : EXIT.ok
    } finally {
      site?.close()
      await log.close()
    }
  }
})

const land = (stage: Stage, since: number, io: CommandIo): Promise<LandingReport> => {
  const logger = pino({ level: 'warn' }, io.stderr)
  return landThrough(stage, since, { logger, nowMs: () => io.now().getTime() })
}

const takeIn = async (
  call: CommandRun,
  log: EventLog
): Promise<IngestCounts & { source: string }> => {
  const { options, io } = call
  const { data = '' } = options as Record<string, string | undefined>
  const input = await ingestInput(call)
  const counts = await takeInput(input, log, {
    io,
    data,
    fromStart: options['fromStart'] === true,
    onFault: faultTeller(io),
    onProgress: progressTeller(io)
  })
  return { ...counts, source: input.source.id }
}

type Result = IngestCounts & { source: string; landing: LandingReport | null; seconds: number }

const report = (io: CommandIo, result: Result, isJson: boolean): void => {
  const { events, refused, ignored, lines, skippedLines, landing, seconds } = result
  if (isJson) {
    const counts = { events, refused, ignored, lines, skipped_lines: skippedLines }
    const landed = landing === null ? {} : landingJson(landing)
    io.stdout.write(`${JSON.stringify({ source: result.source, ...counts, ...landed, seconds })}\n`)
    return
  }
  const skipped = skippedLines > 0 ? `, ${skippedLines} lines known from an earlier run` : ''
  io.stdout.write(
    `${events} events from ${lines} lines (${refused} refused, ${ignored} ignored${skipped}) ` +
      `in ${seconds.toFixed(1)} s\n`
  )
  if (landing !== null) for (const line of landingLines(landing)) io.stdout.write(`${line}\n`)
}

const landingJson = ({ rows, landedBy, findings, settledHours }: LandingReport): object => ({
  landed: {
    events: rows.events_raw ?? 0,
    windows: rows.windows_raw ?? 0,
    quarantined: rows.quarantine ?? 0,
    gaps: rows.gaps ?? 0
  },
  landed_by: landedBy === null ? null : landedBy === 'this' ? 'ingest' : 'up',
  findings,
  settled_hours: settledHours
})

const landingLines = ({ rows, landedBy, findings, settledHours }: LandingReport): string[] => [
  `landed ${rows.events_raw ?? 0} events in ${rows.windows_raw ?? 0} windows` +
    `${landedBy === 'other' ? ' by the running tally up' : ''}; ` +
    `${rows.quarantine ?? 0} quarantined, ${rows.gaps ?? 0} gaps`,
  ...(settledHours === null ? [] : [`${settledHours} hours settled`]),
  ...(findings === null
    ? ['the running tally up looks for findings; see tally findings']
    : findings.length === 0
      ? ['no findings']
      : findings.map(sentence))
]

const sentence = ({ detected_at: at, status, signal, summary }: Finding): string =>
  `${at} ${status} ${signal}: ${summary}`
