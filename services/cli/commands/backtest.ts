import { Failure } from '../../../schemas/failure.ts'
import { WINDOW_COLUMNS } from '../../../schemas/windows.ts'
import {
  backtestEvents,
  backtestWindows,
  type BacktestResult
} from '../../../jobs/detect/backtest.ts'
import { openLines } from '../../../jobs/detect/event-file.ts'
import { openMemory } from '../../lake/memory.ts'
import { loadBook } from '../../rates/prices/book.ts'
import { loadSignals, type LoadedSignal } from '../../signals/load.ts'
import { defineCommand, EXIT, type CommandIo } from '../command.ts'

/** Bad lines that are shown one by one; the rest is only counted. */
const BAD_LINES_SHOWN = 20

type Options = { signal?: string; windows?: string; windowsSchema?: true; json?: true }

export default defineCommand({
  summary: 'Run the signals over a file of events or windows, touching no lake.',
  configure: (command) => {
    command
      .argument('[file]', 'native events, NDJSON, plain or .gz')
      .option('--signal <id>', 'only this signal')
      .option('--windows <file>', 'a Parquet file of windows instead of events')
      .option('--windows-schema', 'print the columns of a window file')
  },
  run: async ({ args, options, io }) => {
    const { signal, windows, windowsSchema, json } = options as Options
    if (windowsSchema === true) return printSchema(io, json === true)
    const [file] = args
    if ((file === undefined) === (windows === undefined)) {
      throw new Failure('E_USAGE', 'Give either a file of events or --windows FILE.parquet')
    }
    const signals = selectSignals(await loadSignals(), signal)
    const database = await openMemory()
    try {
      const shown = { count: 0 }
      const onBad = (bad: { line: number; reason: string }): void => {
        shown.count += 1
        if (shown.count <= BAD_LINES_SHOWN) io.stderr.write(`line ${bad.line}: ${bad.reason}\n`)
      }
      const result =
        file === undefined
          ? await backtestWindows(windows ?? '', { database, signals })
          : await backtestEvents(openLines(file), {
              database,
              signals,
              book: await loadBook(),
              onBad
            })
      print(io, result, json === true)
      return EXIT.ok
    } finally {
      database.close()
    }
  }
})

const selectSignals = (signals: LoadedSignal[], id: string | undefined): LoadedSignal[] => {
  if (id === undefined) return signals
  const chosen = signals.filter((signal) => signal.id === id)
  if (chosen.length > 0) return chosen
  throw new Failure('E_USAGE', `There is no signal ${id}`, {
    hint: `Signals: ${signals.map((signal) => signal.id).join(', ')}`
  })
}

const printSchema = (io: CommandIo, json: boolean): number => {
  const columns = WINDOW_COLUMNS.map(({ name, type, comment }) => ({ name, type, comment }))
  if (json) io.stdout.write(`${JSON.stringify({ columns })}\n`)
  else
    for (const { name, type, comment } of columns) io.stdout.write(`${name}\t${type}\t${comment}\n`)
  return EXIT.ok
}

const print = (io: CommandIo, result: BacktestResult, json: boolean): void => {
  const { events, windows, badLines, findings } = result
  if (json) {
    io.stdout.write(`${JSON.stringify({ events, windows, bad_lines: badLines, findings })}\n`)
    return
  }
  for (const { detected_at: at, status, severity, signal, summary } of findings) {
    io.stdout.write(`${at} ${status} ${severity} ${signal}: ${summary}\n`)
  }
  const read = events === null ? `${windows} windows` : `${events} events, ${windows} windows`
  io.stderr.write(`${read}, ${badLines} bad lines, ${findings.length} findings\n`)
}
