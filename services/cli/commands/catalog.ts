import { refreshCatalog } from '../../serve/catalog/catalog.ts'
import { defineCommand, EXIT } from '../command.ts'
import { openLakeSite } from '../site.ts'

export default defineCommand({
  summary: 'Bring catalog.duckdb, views.sql and the Parquet mart of settled hours up to date.',
  configure: (command) => {
    command.requiredOption('--data <dir>', 'folder of the lake')
  },
  run: async ({ options, io }) => {
    const data = String(options['data'])
    const site = await openLakeSite({ data })
    try {
      const { version, files, folder } = await refreshCatalog(site, data)
      if (options['json'] === true) {
        io.stdout.write(`${JSON.stringify({ version, files, mart: folder })}\n`)
      } else {
        io.stdout.write(
          `version ${version}: ${files} files changed in ${folder}\nOpen it with  duckdb ${data}/catalog.duckdb\n`
        )
      }
      return EXIT.ok
    } finally {
      site.close()
    }
  }
})
