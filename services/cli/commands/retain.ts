import { keepSmall } from '../../../jobs/retain/retain.ts'
import { defineCommand, EXIT } from '../command.ts'
import { openLakeSite, openLog } from '../site.ts'
import { trimEmbeddedLog } from '../trim-embedded-log.ts'

export default defineCommand({
  summary: 'Merge small files and remove what nothing refers to any more; tally up does it daily.',
  configure: (command) => {
    command
      .requiredOption('--data <dir>', 'folder of the log and the lake')
      .option('--brokers <list>', 'Kafka bootstrap servers; Kafka keeps its log small by itself')
  },
  run: async ({ options, io }) => {
    const { data = '', brokers } = options as Record<string, string | undefined>
    const site = await openLakeSite({ data })
    const log = openLog({ data, brokers })
    try {
      await trimEmbeddedLog(log, site.lake, io.now().getTime())
      const { mergedFiles, dataFiles, logFiles, unfinishedFiles } = await keepSmall(site.lake)
      io.stdout.write(
        options['json'] === true
          ? `${JSON.stringify({
              merged_files: mergedFiles,
              data_files: dataFiles,
              log_files: logFiles,
              unfinished_files: unfinishedFiles
            })}\n`
          : `${mergedFiles} small files merged; removed ${dataFiles} data files, ` +
              `${logFiles} files of logs and ${unfinishedFiles} unfinished ones\n`
      )
      return EXIT.ok
    } finally {
      site.close()
      await log.close()
    }
  }
})
