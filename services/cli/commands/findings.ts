import { readFindings, type FindingView } from '../../../jobs/alert/findings.ts'
import { defineCommand, EXIT, type CommandIo } from '../command.ts'
import { openLakeSite } from '../site.ts'

export default defineCommand({
  summary: 'List what the signals found.',
  configure: (command) => {
    command
      .requiredOption('--data <dir>', 'folder of the lake')
      .option('--open', 'only what is firing, one line an incident')
      .option('--signal <id>', 'only of this signal')
      .option('--tenant <name>', 'only of this tenant')
      .option('--fail-on-findings', 'exit with 3 when anything is listed')
  },
  run: async ({ options, io }) => {
    const { data, signal, tenant } = options as Record<string, string | undefined>
    const site = await openLakeSite({ data: data ?? '' })
    try {
      const filter = { open: options['open'] === true, signal, tenant }
      const findings = await readFindings(site, filter)
      print(io, findings, options['json'] === true)
      const fails = options['failOnFindings'] === true && findings.length > 0
      return fails ? EXIT.findings : EXIT.ok
    } finally {
      site.close()
    }
  }
})

/** One object a line, or one block of two lines a finding for people. */
const print = (io: CommandIo, findings: readonly FindingView[], isJson: boolean): void => {
  if (isJson) {
    for (const finding of findings) io.stdout.write(`${JSON.stringify(finding)}\n`)
    return
  }
  if (findings.length === 0) io.stderr.write('no findings\n')
  for (const { detected_at: at, status, severity, signal, tenant, summary } of findings) {
    io.stdout.write(
      `${at}  ${status}  ${severity}  ${signal}  ${tenant ?? 'fleet'}\n  ${summary}\n`
    )
  }
}
