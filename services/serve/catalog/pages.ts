import { MART_VIEWS } from './views.ts'

/** What is written about the tables for people and for dbt, out of the same definitions. */

export const dictionaryPage = (): string => {
  const tables = MART_VIEWS.map(
    ({ name, comment, columns }) =>
      `## ${name}\n\n${comment}\n\n| column | type | meaning |\n|---|---|---|\n${columns
        .map((column) => `| \`${column.name}\` | ${column.type} | ${cell(column.comment)} |`)
        .join('\n')}\n`
  )
  return `# Tables

Views of \`catalog.duckdb\` and \`views.sql\`, over the plain Parquet files of \`mart/\`. Written by
\`services/serve/catalog/main.ts\` from the schemas; do not edit. Times are UTC. \`null\` is "not
reported" and never 0. Money in \`…_pico\` is integer pico-dollars. Columns are only ever added.

Histograms (\`…_hist\`) merge: \`hist_quantile(list(duration_hist), 0.95)\` is within 1 % of the exact
quantile, over any rows and any grouping.

${tables.join('\n')}`
}

const cell = (text: string): string => text.replaceAll('|', '\\|')

/** Sources of dbt-duckdb; the variable of the environment names the folder of the mart. */
export const sourcesYaml = (): string => {
  const files = MART_VIEWS.filter(({ sql }) => sql === null)
  const tables = files.map(
    ({ name, comment, columns }) =>
      `      - name: ${name}\n        description: ${JSON.stringify(comment)}\n        columns:\n${columns
        .map(
          (column) =>
            `          - name: ${column.name}\n            description: ${JSON.stringify(column.comment)}\n            data_type: ${column.type}`
        )
        .join('\n')}`
  )
  return `# Written by services/serve/catalog/main.ts from the schemas; do not edit.
version: 2
sources:
  - name: tally
    description: Plain Parquet of settled hours, written beside the lake.
    config:
      external_location: "read_parquet('{{ env_var('TALLY_MART') }}/{name}/**/*.parquet', union_by_name = true, hive_partitioning = false)"
    tables:
${tables.join('\n')}
`
}
