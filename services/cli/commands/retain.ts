import { keepSmall } from '../../../jobs/retain/retain.ts'
import { defineCommand, EXIT } from '../command.ts'
import { openLakeSite } from '../site.ts'

export default defineCommand({
  summary: 'Merge small files and remove what nothing refers to any more; tally up does it daily.',
  configure: (command) => {
    command.requiredOption('--data <dir>', 'folder of the lake')
  },
  run: async ({ options, io }) => {
    const site = await openLakeSite({ data: String(options['data']) })
    try {
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
    }
  }
})
