import { Failure } from '../../../schemas/failure.ts'
import { defineCommand, EXIT } from '../command.ts'
import { resolveSettings, type Given } from '../config/settings.ts'

/** Beside `tally up`, which takes 8787. */
const PORT = 8788

// Named first: TypeScript 6.0 leaves `.ts` in imports that an exported default expression holds.
const command = defineCommand({
  summary: 'Serve the API and the page over a lake; takes no events.',
  configure: (command) => {
    command
      .option('--config <file>', 'YAML file of settings; flags and TALLY_… come before it')
      .option('--data <dir>', 'folder of the lake')
      .option('--host <host>', 'address to listen on; 127.0.0.1 by default')
      .option('--port <port>', 'port to listen on, 8788 by default; 0 = any free one')
      .option('--keys <file>', 'file of API keys; required beyond loopback')
  },
  run: async ({ options, io }) => {
    const { settings, origins } = await resolveSettings(givenTo(options, io.env))
    const { data, host, keys } = settings
    if (data === null) {
      throw new Failure('E_USAGE', 'no folder is named', {
        hint: 'Give --data, TALLY_DATA, or data in the file of settings.'
      })
    }
    const [{ pino }, { readMoney }, { runServe }, { listenForStop }] = await Promise.all([
      import('pino'),
      import('../up/money-settings.ts'),
      import('../up/serve.ts'),
      import('../up/signals.ts')
    ])
    const { budgetsUsd } = await readMoney(settings)
    const stopping = listenForStop((line) => io.stderr.write(`${line}\n`))
    try {
      await runServe(
        {
          place: { data },
          host,
          port: origins.port === 'default' ? PORT : settings.port,
          keyFile: keys,
          budgetsUsd
        },
        {
          logger: pino({ name: 'serve', level: 'warn' }, io.stderr),
          now: io.now,
          started: (url) => {
            if (options['json'] === true) io.stdout.write(`${JSON.stringify({ url })}\n`)
            io.stderr.write(`serving the API and the page on ${url}; stop with Ctrl-C\n`)
          }
        },
        stopping.signal
      )
      return EXIT.ok
    } finally {
      stopping.forget()
    }
  }
})

export default command

const givenTo = (options: Record<string, unknown>, env: Given['env']): Given => {
  const { config, ...text } = options as Record<string, string | undefined>
  const flags = Object.fromEntries(
    (['data', 'host', 'port', 'keys'] as const).flatMap((name) =>
      text[name] === undefined ? [] : [[name, text[name]]]
    )
  )
  return { flags, env, file: config ?? env['TALLY_CONFIG'] ?? null }
}
