import { readFindings, type FindingView } from '../../../jobs/alert/findings.ts'
import { Failure } from '../../../schemas/failure.ts'
import { defineCommand, EXIT, type CommandIo } from '../command.ts'
import { incidentMarkdown, readIncident } from '../incident-report.ts'
import { wholeNumber } from '../number-option.ts'
import { openLakeSite, type LakeSite } from '../site.ts'

const EVIDENCE = 5
/** What a person looks through. */
const EVIDENCE_MAX = 1000

export default defineCommand({
  summary: 'List what the signals found, or show one incident with the calls behind it.',
  configure: (command) => {
    command
      .argument('[action]', 'show FINGERPRINT; without it, all are listed')
      .argument('[fingerprint]', 'which incident to show')
      .requiredOption('--data <dir>', 'folder of the lake')
      .option('--open', 'only what is firing, one line an incident')
      .option('--signal <id>', 'only of this signal')
      .option('--tenant <name>', 'only of this tenant')
      .option('--fail-on-findings', 'exit with 3 when anything is listed')
      .option(
        '--evidence <n>',
        `show: calls since the change, newest first; ${EVIDENCE} by default`
      )
  },
  run: async ({ args, options, io }) => {
    const [action, fingerprint] = args
    if (action !== undefined && (action !== 'show' || fingerprint === undefined)) {
      throw new Failure('E_USAGE', `findings can't ${args.join(' ')}`, {
        hint: 'tally findings show FINGERPRINT; `tally findings --open --json` has fingerprints.'
      })
    }
    const { data, signal, tenant } = options as Record<string, string | undefined>
    const site = await openLakeSite({ data: data ?? '' })
    try {
      if (fingerprint !== undefined) return await show({ site, io, options, fingerprint })
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

type Showing = {
  site: LakeSite
  io: CommandIo
  options: Record<string, unknown>
  fingerprint: string
}

const show = async ({ site, io, options, fingerprint }: Showing): Promise<number> => {
  const { evidence = String(EVIDENCE) } = options as { evidence?: string }
  const rows = wholeNumber('--evidence', evidence, EVIDENCE_MAX)
  const incident = await readIncident(site, fingerprint, rows)
  const text =
    options['json'] === true ? JSON.stringify(incident) : incidentMarkdown(incident).trimEnd()
  io.stdout.write(`${text}\n`)
  return EXIT.ok
}

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
