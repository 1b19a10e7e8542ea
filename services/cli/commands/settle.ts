import { openLakeSite, openLog } from '../site.ts'
import { settleAll } from '../pipeline.ts'
import { defineCommand, EXIT } from '../command.ts'

export default defineCommand({
  summary: 'Make every closed hour exact: deduplicate its events and rebuild its windows.',
  configure: (command) => {
    command
      .requiredOption('--data <dir>', 'folder of the log and the lake')
      .option('--brokers <list>', 'Kafka bootstrap servers; the embedded log without them')
  },
  run: async ({ options, io }) => {
    const { data, brokers } = options as { data: string; brokers?: string }
    const log = openLog({ data, brokers })
    const site = await openLakeSite({ data })
    try {
      const isJson = options['json'] === true
      await settleAll(site, log, {
        nowMs: io.now().getTime(),
        onHour: ({ startMs, events, duplicates, conflicts, through }) => {
          const hour = new Date(startMs).toISOString()
          io.stdout.write(
            isJson
              ? `${JSON.stringify({ hour, events, duplicates, conflicts, through })}\n`
              : `${hour}: ${events} events, ${duplicates} duplicates, ${conflicts} conflicts\n`
          )
        }
      })
      return EXIT.ok
    } finally {
      site.close()
      await log.close()
    }
  }
})
