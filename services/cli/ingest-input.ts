import { join } from 'node:path'
import { Failure } from '../../schemas/failure.ts'
import type { Fault } from '../collect/fault.ts'
import { noCounts, type IngestCounts } from '../collect/ingest/counts.ts'
import { ingestFile } from '../collect/ingest/ingest-file.ts'
import { PositionFiles } from '../collect/relay/position-file.ts'
import { relayToEnd } from '../collect/relay/relay.ts'
import { configureSource } from '../collect/sources/configure.ts'
import { loadSource, type LoadedSource } from '../collect/sources/load.ts'
import type { SourceOptions } from '../collect/sources/source.ts'
import type { EventLog } from '../stream/log.ts'
import type { CommandIo, CommandRun } from './command.ts'

/** What `tally ingest` takes in: a file, or a topic of others. */
export type IngestInput = {
  source: LoadedSource
  tenant: string | null
  from: { file: string } | { topic: string }
}

/** @throws Failure E_USAGE */
export const ingestInput = async ({ args, options }: CommandRun): Promise<IngestInput> => {
  const { as, map, topic, tenant } = options as Record<string, string | undefined>
  const [file] = args
  if ((file === undefined) === (topic === undefined)) {
    throw new Failure('E_USAGE', 'name either a file or a --topic')
  }
  const told = optionsOf(options['option'])
  const all = map === undefined ? told : { ...told, map }
  const dialect = as ?? (map === undefined ? 'native' : 'mapping')
  return {
    source: await configureSource(await loadSource(dialect), all),
    tenant: tenant ?? null,
    from: topic === undefined ? { file: file ?? '' } : { topic }
  }
}

const optionsOf = (given: unknown): SourceOptions => {
  const pairs = Array.isArray(given) ? given.map(String) : []
  const entries = pairs.map((pair): [string, string] => {
    const equals = pair.indexOf('=')
    if (equals > 0) return [pair.slice(0, equals), pair.slice(equals + 1)]
    throw new Failure('E_USAGE', `--option ${pair} is not name=value`)
  })
  return Object.fromEntries(entries)
}

export type IngestDoors = {
  io: CommandIo
  data: string
  /** Read all of it again, whatever an earlier run took in. */
  fromStart: boolean
  onFault: (fault: Fault, line: number) => void
  onProgress: (counts: IngestCounts) => void
}

export const takeInput = (
  input: IngestInput,
  log: EventLog,
  doors: IngestDoors
): Promise<IngestCounts> =>
  'topic' in input.from
    ? takeTopic(input, input.from.topic, log, doors)
    : takeFile(input, input.from.file, log, doors)

const takeFile = (
  { source, tenant }: IngestInput,
  file: string,
  log: EventLog,
  { io, data, fromStart, onFault, onProgress }: IngestDoors
): Promise<IngestCounts> =>
  ingestFile(
    {
      file,
      ...(file === '-' ? { stream: io.stdin } : {}),
      source,
      tenant,
      checkpoints: fromStart ? null : join(data, 'ingest'),
      now: io.now,
      onFault,
      onProgress
    },
    log
  )

/** A record is what a line is of a file; what is refused goes to quarantine. */
const takeTopic = async (
  { source, tenant }: IngestInput,
  topic: string,
  log: EventLog,
  { io, data, fromStart, onProgress }: IngestDoors
): Promise<IngestCounts> => {
  const counts = noCounts()
  const positions = new PositionFiles(join(data, 'relay'))
  if (fromStart) await positions.forget(topic)
  await relayToEnd(
    { topic, source, tenant },
    {
      log,
      positions,
      now: io.now,
      onProgress: ({ records, events, refused, ignored }) => {
        counts.lines += records
        counts.events += events
        counts.refused += refused
        counts.ignored += ignored
        onProgress(counts)
      }
    }
  )
  return counts
}
