import type { Range } from '../../lake/commit.ts'
import { verify, type Damage, type ScrubReport } from '../../lake/scrub.ts'
import { defineCommand, EXIT, type CommandIo } from '../command.ts'
import { openLakeSite } from '../site.ts'

export default defineCommand({
  summary: 'Compare every file of the lake with its recorded hash.',
  configure: (command) => {
    command.requiredOption('--data <dir>', 'folder of the lake')
  },
  run: async ({ options, io }) => {
    const site = await openLakeSite({ data: String(options['data']) })
    try {
      const report = await verify(site.lake)
      if (options['json'] === true) io.stdout.write(`${JSON.stringify(report)}\n`)
      else print(io, report)
      return report.damages.length > 0 ? EXIT.failure : EXIT.ok
    } finally {
      site.close()
    }
  }
})

const BYTES_PER_MB = 1e6

const print = (io: CommandIo, { version, files, bytes, damages }: ScrubReport): void => {
  const megabytes = (bytes / BYTES_PER_MB).toFixed(1)
  const damaged = damages.length === 0 ? 'all as recorded' : `${damages.length} damaged`
  io.stdout.write(`version ${version}: ${files} files, ${megabytes} MB, ${damaged}\n`)
  for (const damage of damages) io.stdout.write(`${sentence(damage)}\n`)
}

const WHAT = { missing: 'is missing', size: 'has another size', content: 'has other bytes' }

const sentence = ({ table, path, problem, kind, ranges }: Damage): string =>
  `✗ ${table}/${path} ${WHAT[problem]}\n    ${remedy(kind, ranges ?? [])}`

/** What makes the file anew, or where to get it from. */
const remedy = (kind: Damage['kind'], ranges: readonly Range[]): string => {
  if (ranges.length > 0) {
    const list = ranges.map(
      ({ topic, partition, first, next }) => `${topic}/${partition} [${first}, ${next})`
    )
    return `Restore it from a backup, or land again from the log: ${list.join(', ')} (tally replay)`
  }
  if (kind === 'settle') return 'Restore it from a backup, or settle its hours again from raw rows.'
  return 'Restore it from a backup.'
}
