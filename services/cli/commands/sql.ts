import { openLakeSite } from '../site.ts'
import { runReadOnly } from '../../lake/read-only.ts'
import { attach } from '../../lake/snapshot.ts'
import { defineCommand, EXIT, type CommandIo } from '../command.ts'

export default defineCommand({
  summary: 'Query the lake: events, windows, settled, findings, gaps, conflicts, quarantine …',
  configure: (command) => {
    command
      .argument('<query>', 'one SELECT in the SQL of DuckDB')
      .requiredOption('--data <dir>', 'folder of the lake')
      .option('--as-of <version>', 'version of the lake; the newest by default')
  },
  run: async ({ args, options, io }) => {
    const { data, asOf } = options as { data: string; asOf?: string }
    const site = await openLakeSite({ data })
    try {
      const { lake } = site
      const head = asOf === undefined ? await lake.head() : await lake.headAt(Number(asOf))
      await attach(site, head)
      const result = await runReadOnly(site, args[0] ?? '')
      print(io, result, options['json'] === true)
      return EXIT.ok
    } finally {
      site.close()
    }
  }
})

type Result = Awaited<ReturnType<typeof runReadOnly>>

/** One JSON object a row, or aligned columns. */
const print = (io: CommandIo, { columns, rows }: Result, isJson: boolean): void => {
  if (isJson) {
    for (const row of rows) io.stdout.write(`${JSON.stringify(row)}\n`)
    return
  }
  const names = columns.map(({ name }) => name)
  const table = [names, ...rows.map((row) => names.map((name) => cell(row[name])))]
  const widths = names.map((_, index) => Math.max(...table.map((line) => line[index]!.length)))
  for (const line of table) {
    io.stdout.write(
      `${line
        .map((text, index) => text.padEnd(widths[index]!))
        .join('  ')
        .trimEnd()}\n`
    )
  }
}

const cell = (value: unknown): string => {
  if (value === null || value === undefined) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}
