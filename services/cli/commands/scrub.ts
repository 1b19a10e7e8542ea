import type { Range } from '../../lake/commit.ts'
import { noLake } from '../../lake/lake.ts'
import { localFiles } from '../../lake/local-files.ts'
import { scrub, type Damage, type ScrubReport } from '../../lake/scrub.ts'
import { defineCommand, EXIT, type CommandIo } from '../command.ts'
import { mendLake, type Mended } from '../mend-lake.ts'
import { lakeFolder } from '../site.ts'

export default defineCommand({
  summary: 'Compare every file of the lake with its recorded hash, and mend what is damaged.',
  configure: (command) => {
    command
      .requiredOption('--data <dir>', 'folder of the lake')
      .option('--mend', 'set flipped bits right, and land again from the log what is lost')
      .option('--brokers <list>', 'Kafka bootstrap servers; the log in the folder without them')
  },
  run: async ({ options, io }) => {
    const { data = '', brokers } = options as Record<string, string | undefined>
    const { mended, after } =
      options['mend'] === true
        ? await mendLake({ data, brokers })
        : { mended: [], after: await scrub(localFiles(lakeFolder({ data }))) }
    if (after.version === -1) throw noLake(lakeFolder({ data }))
    if (options['json'] === true) io.stdout.write(`${JSON.stringify({ ...after, mended })}\n`)
    else print(io, after, mended)
    const isWhole = after.damages.length === 0 && after.version !== null
    return isWhole ? EXIT.ok : EXIT.failure
  }
})

const BYTES_PER_MB = 1e6
const HOW = { bit: 'one bit was set right', replay: 'landed again from the log' }

const print = (io: CommandIo, report: ScrubReport, mended: readonly Mended[]): void => {
  const { version, files, bytes, logFiles, unsealed, damages } = report
  for (const { table, path, by } of mended) io.stdout.write(`✓ ${table}/${path}: ${HOW[by]}\n`)
  const place = version === null ? 'log unreadable, data not looked at' : `version ${version}`
  const megabytes = (bytes / BYTES_PER_MB).toFixed(1)
  const damaged = damages.length === 0 ? 'all as recorded' : `${damages.length} damaged`
  io.stdout.write(
    `${place}: ${files} files, ${megabytes} MB, and ${logFiles} of its logs: ${damaged}\n`
  )
  if (unsealed > 0) io.stdout.write(`${unsealed} copies of the log have no seal to compare with\n`)
  for (const damage of damages) io.stdout.write(`${sentence(damage)}\n`)
}

const WHAT = { missing: 'is missing', size: 'has another size', content: 'has other bytes' }

const sentence = ({ table, path, problem, ranges }: Damage): string =>
  `✗ ${table}/${path} ${WHAT[problem]}\n    ${remedy(ranges ?? [])}`

/** What makes the file anew, or where to get it from. */
const remedy = (ranges: readonly Range[]): string => {
  if (ranges.length > 0) {
    const list = ranges.map(
      ({ topic, partition, first, next }) => `${topic}/${partition} [${first}, ${next})`
    )
    return `tally scrub --mend lands it again from the log: ${list.join(', ')}`
  }
  return 'tally scrub --mend sets one flipped bit right; else restore it from a backup.'
}
