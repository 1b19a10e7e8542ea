import { join } from 'node:path'
import { EVENTS_TOPIC } from '../../../schemas/topics.ts'
import type { Fault } from '../../collect/fault.ts'
import type { IngestCounts } from '../../collect/ingest/counts.ts'
import { ingestFile } from '../../collect/ingest/ingest-file.ts'
import { loadSource } from '../../collect/sources/load.ts'
import { PARTITIONS } from '../../collect/start.ts'
import { EmbeddedLog } from '../../stream/embedded/log.ts'
import { defineCommand, EXIT, type CommandIo } from '../command.ts'

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
  summary: 'Take a file of events in any known dialect into the log.',
  configure: (command) => {
    command
      .argument('<file>', 'file, gzip or not; - for stdin')
      .requiredOption('--data <dir>', 'folder of the log and the lake')
      .option('--as <dialect>', 'what the file holds', 'native')
      .option('--tenant <name>', 'who pays where the file does not say')
      .option('--from-start', 'read the whole file again, whatever an earlier run took in')
  },
  run: async ({ args, options, io }) => {
    const { data, as: dialect, tenant } = options as Record<string, string | undefined>
    const folder = data ?? ''
    const file = args[0] ?? ''
    const startedMs = io.now().getTime()
    const source = await loadSource(dialect ?? 'native')
    const log = new EmbeddedLog(join(folder, 'log'))
    try {
      await log.ensureTopic(EVENTS_TOPIC, PARTITIONS)
      const counts = await ingestFile(
        {
          file,
          ...(file === '-' ? { stream: io.stdin } : {}),
          source,
          tenant: tenant ?? null,
          checkpoints: options['fromStart'] === true ? null : join(folder, 'ingest'),
          now: io.now,
          onFault: faultTeller(io),
          onProgress: progressTeller(io)
        },
        log
      )
      const seconds = (io.now().getTime() - startedMs) / 1000
      report(io, { source: source.id, ...counts, seconds }, options['json'] === true)
      return counts.refused > 0 ? EXIT.failure : EXIT.ok
    } finally {
      await log.close()
    }
  }
})

const report = (
  io: CommandIo,
  result: IngestCounts & { source: string; seconds: number },
  isJson: boolean
): void => {
  const { events, refused, ignored, lines, skippedLines, seconds } = result
  if (isJson) {
    const counts = { events, refused, ignored, lines, skipped_lines: skippedLines }
    io.stdout.write(`${JSON.stringify({ source: result.source, ...counts, seconds })}\n`)
    return
  }
  const skipped = skippedLines > 0 ? `, ${skippedLines} lines known from an earlier run` : ''
  io.stdout.write(
    `${events} events from ${lines} lines (${refused} refused, ${ignored} ignored${skipped}) ` +
      `in ${seconds.toFixed(1)} s\n`
  )
}
