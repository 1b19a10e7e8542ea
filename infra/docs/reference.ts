import { readdir } from 'node:fs/promises'
import { PassThrough } from 'node:stream'
import { z } from 'zod'
import { EVENT_FIELDS, type FieldKind } from '../../schemas/event-fields.ts'
import { FAILURES } from '../../schemas/failure.ts'
import { settingsSchema, variableOf } from '../../services/cli/config/settings.ts'
import { runCli } from '../../services/cli/shell.ts'

/** Pages of the reference, out of what the product itself goes by. */

export type ReferencePage = { name: string; text: string }

export const referencePages = async (): Promise<ReferencePage[]> => [
  page('commands', 'Commands', await commands()),
  page('settings', 'Settings', settings()),
  page('events', 'Events', events()),
  page('failures', 'Failures', failures())
]

const page = (name: string, title: string, body: string): ReferencePage => ({
  name: `${name}.md`,
  text: `# ${title}\n\nWritten by \`infra/docs/main.ts\` from what the product goes by; do not edit.\n\n${body.trim()}\n`
})

/** In a cell of a table a bar would end the cell. */
const row = (...cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ')).join(' | ')} |`

const table = (heads: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(...heads), `|${'---|'.repeat(heads.length)}`, ...rows.map((cells) => row(...cells))].join(
    '\n'
  )

const commands = async (): Promise<string> => {
  const folder = new URL('../../services/cli/commands/', import.meta.url)
  const verbs = (await readdir(folder))
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => name.slice(0, -'.ts'.length))
    .sort()
  const texts: string[] = []
  for (const verb of verbs) {
    texts.push(`## tally ${verb}\n\n\`\`\`text\n${(await said('help', verb)).trim()}\n\`\`\``)
  }
  const intro =
    'Data goes to stdout, messages to stderr. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 findings are there and were asked for.'
  return [intro, ...texts].join('\n\n')
}

const said = async (...args: string[]): Promise<string> => {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  await runCli(args, { stdin, stdout, stderr, now: () => new Date(0), env: {} })
  return String(stdout.read() ?? '')
}

const Property = z.looseObject({ description: z.string(), default: z.unknown() })
const Schema = z.looseObject({ properties: z.record(z.string(), Property) })

const settings = (): string => {
  const { properties } = Schema.parse(settingsSchema())
  const rows = Object.entries(properties).map(([name, { description, default: value }]) => [
    `\`${name}\``,
    name === 'budgets_usd' ? 'file only' : `\`${variableOf(name)}\``,
    `\`${JSON.stringify(value)}\``,
    description
  ])
  return `What \`tally up\` is told once: a flag comes before the environment, that before the file
(\`--config FILE\`, \`TALLY_CONFIG\`), that before the default. \`tally config print\` says where each value
comes from, \`tally config schema\` is the JSON Schema of the file: its first line may be
\`# yaml-language-server: $schema=tally.schema.json\`, which editors complete by.

${table(['setting', 'environment', 'default', 'meaning'], rows)}`
}

const JSON_TYPES: Readonly<Record<FieldKind, string>> = {
  time: 'string, RFC 3339',
  word: 'string',
  id: 'string',
  int: 'integer, 32 bits',
  long: 'integer',
  double: 'number',
  boolean: 'boolean',
  words: 'list of strings',
  doubles: 'list of numbers',
  json: 'object',
  cost: 'integer, pico-dollars'
}

const events = (): string => {
  const rows = EVENT_FIELDS.map(({ path, column, kind, required, comment }) => [
    `\`${path}\`${required === true ? ' (required)' : ''}`,
    JSON_TYPES[kind],
    column === path ? '' : `\`${column}\``,
    comment
  ])
  return `The native event: \`POST /v1/events\`, a line of a file of \`tally ingest\`, and, in Avro under the name of
the column, a record of the topic \`usage.events.v1\`. What is missing is null: not reported, which is never 0.
A field that is not here is refused, but for what lies in \`tags\`. Fields are only ever added.

${table(['field', 'type', 'column, where it has another name', 'meaning'], rows)}`
}

const failures = (): string =>
  `What goes wrong carries one of these codes: on stderr of \`tally\`, as \`code\` of a problem over HTTP, in logs,
and as the reason of rows of \`quarantine\`. Texts may change; codes do not.

${table(
  ['code', 'meaning'],
  Object.entries(FAILURES).map(([code, meaning]) => [`\`${code}\``, meaning])
)}`
