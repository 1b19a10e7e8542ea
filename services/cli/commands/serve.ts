import { defineCommand, EXIT } from '../command.ts'
import { wholeNumber } from '../number-option.ts'

/** Beside `tally up`, which takes 8787. */
const PORT = '8788'

export default defineCommand({
  summary: 'Serve the API and the page over a lake; takes no events.',
  configure: (command) => {
    command
      .requiredOption('--data <dir>', 'folder of the lake')
      .option('--host <host>', 'address to listen on', '127.0.0.1')
      .option('--port <port>', 'port to listen on; 0 = any free one', PORT)
      .option('--keys <file>', 'file of API keys; required beyond loopback')
  },
  run: async ({ options, io }) => {
    const text = options as Record<string, string | undefined>
    const port = wholeNumber('--port', text['port'] ?? PORT, 65_535)
    const [{ pino }, { runServe }, { listenForStop }] = await Promise.all([
      import('pino'),
      import('../up/serve.ts'),
      import('../up/signals.ts')
    ])
    const stopping = listenForStop((line) => io.stderr.write(`${line}\n`))
    try {
      await runServe(
        {
          place: { data: text['data'] ?? '' },
          host: text['host'] ?? '',
          port,
          keyFile: text['keys'] ?? null
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
