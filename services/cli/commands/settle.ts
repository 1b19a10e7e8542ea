import type { SettledHour } from '../../lake/settled-hours.ts'
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
        onHour: ({ startMs, through, ...counts }) => {
          const hour = new Date(startMs).toISOString()
          io.stdout.write(
            isJson
              ? `${JSON.stringify({ hour, ...told(counts), through })}\n`
              : `${hour}: ${countsText(told(counts))}\n`
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

type Counts = Pick<SettledHour, 'events' | 'duplicates' | 'conflicts' | 'merged' | 'disagreements'>

/** What became of the records of an hour: `merged` were other witnesses of a call that counts. */
const told = ({ events, duplicates, conflicts, merged, disagreements }: Counts) => ({
  events,
  duplicates,
  conflicts,
  merged,
  disagreements
})

const countsText = (counts: ReturnType<typeof told>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ')
