import { refreshCatalog } from '../../serve/catalog/catalog.ts'
import { listCatalog, type CatalogTable } from '../../serve/catalog/listing.ts'
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
      const tables = await listCatalog(site.engine, folder)
      const text =
        options['json'] === true
          ? JSON.stringify({ version, files, mart: folder, tables })
          : [
              `version ${version}: ${files} files changed in ${folder}`,
              ...tables.map(tableLine),
              `Open it with  duckdb ${data}/catalog.duckdb  ·  DESCRIBE a table to see what its columns are`
            ].join('\n')
      io.stdout.write(`${text}\n`)
      return EXIT.ok
    } finally {
      site.close()
    }
  }
})

const NAME_WIDTH = 18
const BYTES_PER_KB = 1000

const tableLine = ({ name, comment, rows, bytes, settled_until }: CatalogTable): string => {
  const size =
    rows === null
      ? 'a view'
      : `${rows.toLocaleString('en')} rows, ${Math.ceil((bytes ?? 0) / BYTES_PER_KB).toLocaleString('en')} KB`
  const until = settled_until === null ? '' : `, settled until ${settled_until.slice(0, 16)}Z`
  return `  ${name.padEnd(NAME_WIDTH)} ${size}${until}. ${comment}`
}
