import { Failure } from '../../../schemas/failure.ts'
import { defineCommand, EXIT } from '../command.ts'
import { resolveSettings, settingsSchema } from '../config/settings.ts'

export default defineCommand({
  summary: 'Print the settings in effect and where each comes from, or the schema of the file.',
  configure: (command) => {
    command
      .argument('<what>', 'print, check or schema')
      .option('--config <file>', 'YAML file of settings; also TALLY_CONFIG')
  },
  run: async ({ args, options, io }) => {
    const [what] = args
    if (what === 'schema') {
      io.stdout.write(`${JSON.stringify(settingsSchema(), null, 2)}\n`)
      return EXIT.ok
    }
    if (what !== 'print' && what !== 'check') {
      throw new Failure('E_USAGE', `config ${what} is unknown`, {
        hint: 'Use print, check or schema.'
      })
    }
    const file = (options['config'] as string | undefined) ?? io.env['TALLY_CONFIG'] ?? null
    const { settings, origins } = await resolveSettings({ flags: {}, env: io.env, file })
    if (what === 'check') return EXIT.ok
    const rows = Object.entries(settings).map(([name, value]) => ({
      name,
      value,
      origin: origins[name as keyof typeof origins]
    }))
    if (options['json'] === true) {
      io.stdout.write(
        `${JSON.stringify(Object.fromEntries(rows.map(({ name, ...rest }) => [name, rest])))}\n`
      )
    } else {
      for (const { name, value, origin } of rows) {
        io.stdout.write(`${name.padEnd(13)} ${origin.padEnd(12)} ${JSON.stringify(value)}\n`)
      }
    }
    return EXIT.ok
  }
})
