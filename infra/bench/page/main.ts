import { readFile, readdir, writeFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { latencySection, memorySection } from './live-section.ts'
import { raceSection } from './race-section.ts'
import { dayOf, grouped, readLines, readText, table, type RaceRun } from './results.ts'

/**
 * Writes the page of benchmarks out of what the runs of RESULTS printed; PAGE is where it goes. Parts
 * that were not run stay as the page has them.
 */
const { RESULTS = '', PAGE = '' } = process.env
const GIB = 2 ** 30

const NOT_RUN = 'Not measured yet.'
/** Parts that stay may have been measured on another machine. */
const WHERE = `${cpus().length} cores, ${Math.round(totalmem() / GIB)} GiB, Node ${process.versions.node}`
const HEADING = '## '

const stages = async (): Promise<string | null> => {
  const lines = await readLines<RaceRun>(RESULTS, 'stages.ndjson')
  if (lines === null) return null
  const rows = lines.map((run) => [
    run.peer.replace('product-', ''),
    grouped(run.events_per_cpu_s),
    ((run.cpu_s / run.events) * 1e6).toFixed(2),
    `${run.peak_memory_mib} MiB`
  ])
  return table(['stage', 'events a CPU-second', 'CPU-s per million', 'peak memory'], rows)
}

type Group = {
  topic: string
  one_cpu_s: number[]
  two_cpu_s: number[]
  broker_cpu_s: number[]
  one_s: number
  two_s: number
  ratio_by_cpu: number
  ratio_by_time: number
  equal: boolean
  load: number
}

const group = async (): Promise<string | null> => {
  const lines = await readLines<Group>(RESULTS, 'group.ndjson')
  if (lines === null) return null
  const rows = lines.map((run) => [
    run.topic,
    run.one_cpu_s.join(', '),
    run.two_cpu_s.join(', '),
    `${run.ratio_by_cpu} ×`,
    run.broker_cpu_s.join(', '),
    `${run.one_s}, ${run.two_s}`,
    `${run.ratio_by_time} ×`,
    run.equal ? 'equal' : '**differ**',
    String(run.load)
  ])
  const byCpu = ['one, CPU s', 'two, CPU s', 'by the busier']
  const byTime = ["the broker's CPU s", 'time, s', 'by time']
  const heads = ['topic', ...byCpu, ...byTime, 'windows', 'machine load']
  return table(heads, rows)
}

const verbatim = async (name: string): Promise<string | null> => {
  const text = await readText(RESULTS, name)
  return text === null ? null : `\`\`\`\n${text}\n\`\`\``
}

const races = async (): Promise<string[]> => {
  const topics = (await readdir(RESULTS))
    .filter((name) => /^bench.*\.ndjson$/.test(name))
    .map((name) => name.replace('.ndjson', ''))
    .sort()
  const sections = await Promise.all(
    topics.map(async (topic) => [
      `### Topic \`${topic}\`, ${await dayOf(RESULTS, `${topic}.ndjson`)}`,
      await raceSection(RESULTS, topic)
    ])
  )
  return sections.flat().filter((part) => part !== null)
}

const written = (await readFile(PAGE, 'utf8').catch(() => '')).split(`\n${HEADING}`)
const known = new Map(written.map((text) => [text.split('\n', 1)[0]!, text.trimEnd()]))

/** @param name file of results whose day is the part's; null where rows or headings have their own. */
const part = async (
  title: string,
  says: string,
  body: string | null,
  name: string | null
): Promise<string> => {
  const kept = known.get(title)
  if (body === null && kept !== undefined) return `${HEADING}${kept}`
  const day = name === null ? null : await dayOf(RESULTS, name)
  const measured = `Measured on ${day === null ? '' : `${day}, `}${WHERE}.`
  const text = body === null ? says : `${says} ${measured}`
  return [`${HEADING}${title}`, text, body ?? NOT_RUN].join('\n\n')
}

const HEAD = [
  '# Benchmarks',
  'Written by `make bench`; do not edit. The machine is shared: CPU-seconds of ' +
    'the process (user and system, broker left out) are compared, in runs that take turns, and load moves ' +
    'even those; times by the clock stand beside the load.'
].join('\n\n')

const parts = await Promise.all([
  part(
    'The race',
    'One topic in, the same one-minute windows out. Start-up of Node and Java is counted. ' +
      '`infra/bench/run.sh race`; `EVENTS`, `RUNS`, `PEERS` and `TOPIC` size it.',
    (await races()).join('\n\n') || null,
    null
  ),
  part(
    'Stages',
    'Fetching alone, fetching and decoding, and landing alone, one thread each. `infra/bench/run.sh stages`.',
    await stages(),
    'stages.ndjson'
  ),
  part(
    'Two consumers',
    'One consumer on one core against two of one group on a core each, from when all have their share until the ' +
      'lake has everything: the CPU of the one against that of the busier of two, which is what two cores of their own ' +
      'would give, and by the clock, where the broker works on the same two cores. Keys of a power law fill the ' +
      'partitions of one topic unevenly; those of the others hold equally many. At least 1.7 × is asked. ' +
      '`infra/bench/run.sh group`.',
    await group(),
    'group.ndjson'
  ),
  part(
    'Latency',
    '`tally up` as users start it, milliseconds: from the acknowledgement by the log until a commit shows the ' +
      'event; from the close of a window (its end and the lateness of 30 s) until a webhook has the alert. Alerts ' +
      'may take the flush interval of 5 s and 2 s. `infra/bench/run.sh live`; `RATES` and `MINUTES` size it, `LIVE_NICE` gives it ' +
      'priority over what else runs on the machine.',
    await latencySection(RESULTS),
    null
  ),
  part(
    'Memory under a steady load',
    'Of `tally up`, without mapped files, sampled every 5 s; the line leaves the first third out.',
    await memorySection(RESULTS),
    null
  ),
  part(
    'Catching up',
    'A backlog of 10 M events, landed by one consumer, start-up counted. `infra/bench/run.sh backlog`.',
    await raceSection(RESULTS, 'backlog'),
    'backlog.ndjson'
  ),
  part(
    'A tick of detection',
    '`make bench-detect`; `TICK_TENANTS` and `TICK_MODELS` size it.',
    await verbatim('tick.txt'),
    'tick.txt'
  )
])
await writeFile(PAGE, `${[HEAD, ...parts].join('\n\n')}\n`)
