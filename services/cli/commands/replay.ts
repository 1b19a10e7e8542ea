import { defineCommand, EXIT, type CommandIo } from '../command.ts'
import { replayLake, type ReplayReport } from '../replay-lake.ts'

export default defineCommand({
  summary: 'Land a log again into an empty lake and compare the files byte for byte.',
  configure: (command) => {
    command
      .requiredOption('--from <dir>', 'folder whose log is read and whose lake gives the cuts')
      .requiredOption('--data <dir>', 'folder for the new lake')
      .option('--brokers <list>', 'Kafka bootstrap servers; the log in the folder without them')
  },
  run: async ({ options, io }) => {
    const { from = '', data = '', brokers } = options as Record<string, string | undefined>
    const result = await replayLake({ data: from, brokers }, { data })
    if (options['json'] === true) io.stdout.write(`${JSON.stringify(jsonOf(result))}\n`)
    else print(io, result)
    const isFaulty = result.differences.some(({ sameGeneration }) => sameGeneration)
    return isFaulty ? EXIT.failure : EXIT.ok
  }
})

const jsonOf = ({ versions, flushes, identicalFiles, differences }: ReplayReport): object => ({
  from_version: versions?.[0] ?? null,
  to_version: versions?.[1] ?? null,
  flushes,
  identical_files: identicalFiles,
  differences: differences.map(({ sameGeneration, ...difference }) => ({
    ...difference,
    same_generation: sameGeneration
  }))
})

const print = (io: CommandIo, { versions, flushes, ...files }: ReplayReport): void => {
  const range = versions === null ? '' : ` of versions ${versions.join(' to ')}`
  io.stdout.write(`${flushes} flushes${range}: ${files.identicalFiles} files are identical\n`)
  for (const { version, table, sameGeneration } of files.differences) {
    const why = sameGeneration ? '' : ' (another generation had landed it)'
    io.stdout.write(`version ${version}: the file of ${table} differs${why}\n`)
  }
}
