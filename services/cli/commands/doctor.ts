import { defineCommand, EXIT } from '../command.ts'
import { examine, type Diagnosis } from '../doctor/check.ts'
import { alertConfig, lakeChecks } from '../doctor/lake-checks.ts'
import { logChecks } from '../doctor/log-checks.ts'
import { machineChecks } from '../doctor/machine-checks.ts'
import { Patient } from '../doctor/patient.ts'

export default defineCommand({
  summary: 'Look at everything that has to be right, and say how to mend what is not.',
  configure: (command) => {
    command
      .requiredOption('--data <dir>', 'folder of the log and the lake')
      .option('--brokers <list>', 'Kafka bootstrap servers; the embedded log without them')
      .option('--alert-config <file>', 'YAML file with channels, to be checked too')
  },
  run: async ({ options, io }) => {
    const { data = '', brokers, alertConfig: file } = options as Record<string, string | undefined>
    const patient = new Patient({ data, brokers }, file ?? null, io.now().getTime())
    try {
      const checks = [...machineChecks, ...lakeChecks, ...logChecks, alertConfig]
      const found = await examine(checks, patient)
      if (options['json'] === true) io.stdout.write(`${JSON.stringify({ checks: found })}\n`)
      else for (const diagnosis of found) io.stdout.write(lineOf(diagnosis))
      return found.every(({ ok }) => ok === true) ? EXIT.ok : EXIT.failure
    } finally {
      await patient.close()
    }
  }
})

const lineOf = ({ name, ok, seen, fix }: Diagnosis): string => {
  const mark = ok === null ? '–' : ok ? '✓' : '✗'
  return `${mark} ${name}: ${seen}\n${fix === null ? '' : `    ${fix}\n`}`
}
