import { once } from 'node:events'
import { join } from 'node:path'
import { Failure } from '../../../schemas/failure.ts'
import { startCollector } from '../../collect/start.ts'
import { EmbeddedLog } from '../../stream/embedded/log.ts'
import { defineCommand, EXIT } from '../command.ts'

/** Where tools that speak to us look first; free of the ports of Kafka, Prometheus and Grafana. */
const PORT = '8787'

const portOf = (text: string): number => {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw new Failure('E_USAGE', `--port ${text} is not a port`, { hint: 'Give 0 to 65535.' })
}

export default defineCommand({
  summary: 'Run the collector on a folder.',
  configure: (command) => {
    command
      .requiredOption('--data <dir>', 'folder of the log and the lake')
      .option('--host <host>', 'address to listen on', '127.0.0.1')
      .option('--port <port>', 'port to listen on; 0 = any free one', PORT)
      .option('--keys <file>', 'file of API keys; required beyond loopback')
      .option('--tenant <name>', 'who pays for input that names no tenant')
  },
  run: async ({ options, io }) => {
    const { data, host, port, keys, tenant } = options as Record<string, string | undefined>
    const log = new EmbeddedLog(join(data ?? '', 'log'))
    const collector = await startCollector({
      log,
      host: host ?? '127.0.0.1',
      port: portOf(port ?? PORT),
      keyFile: keys ?? null,
      settings: { tenantDefault: tenant ?? null },
      now: io.now
    })
    io.stderr.write(`collecting on ${collector.url}; stop with Ctrl-C\n`)
    await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
    await collector.close()
    await log.close()
    return EXIT.ok
  }
})
