import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import path from 'node:path'
import { checksumLines, writeWindows } from '../race-windows.ts'
import { startMember, type Member } from './start-member.ts'

/**
 * One consumer on one core, then two of one group on a core each, on the same topic and RUNS times
 * round: what is measured begins when all have their share and ends when the lake has everything.
 * The broker, which BROKER_PID names, works on the same cores beside two as beside one; the CPU of
 * the busier one of two against that of the one alone says what two cores of their own would give.
 */
const { BROKERS = '', TOPIC = '', SCHEMA = '', BENCH_DIR = tmpdir(), RUNS = '3' } = process.env
const { BROKER_PID = '' } = process.env
const MS_PER_S = 1000
/** Of the clock that Linux counts a process's time in. */
const TICKS_PER_S = 100
/** In /proc/PID/stat, behind the name: time in user mode, and in the kernel's. */
const [UTIME, STIME] = [11, 12]

type Group = { cpu_s: number[]; start_s: number[]; seconds: number; broker_s: number; sum: string }

const brokerS = async (): Promise<number> => {
  const stat = await readFile(`/proc/${BROKER_PID}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[UTIME]) + Number(fields[STIME])) / TICKS_PER_S
}

const runGroup = async (count: number): Promise<Group> => {
  const lake = await mkdtemp(path.join(BENCH_DIR, 'tally-group-'))
  const args = [BROKERS, TOPIC, SCHEMA, lake, path.basename(lake), String(count)]
  const members = Array.from({ length: count }, (_, core) => startMember(core, args))
  try {
    const measured = await measure(members)
    const out = `${lake}.ndjson`
    await writeWindows(lake, out)
    const { checksum } = await checksumLines(out)
    await rm(out)
    return { ...measured, sum: String(checksum) }
  } finally {
    for (const { end } of members) end()
    await rm(lake, { recursive: true, force: true })
  }
}

const measure = async (members: readonly Member[]): Promise<Omit<Group, 'sum'>> => {
  const ready = await Promise.all(members.map(({ said }) => said()))
  const brokerBefore = await brokerS()
  const startMs = performance.now()
  for (const { go } of members) go()
  const done = await Promise.all(members.map(({ said }) => said()))
  const seconds = (performance.now() - startMs) / MS_PER_S
  const broker_s = (await brokerS()) - brokerBefore
  await Promise.all(members.map(({ ended }) => ended))
  const start_s = ready.map(({ cpu_s }) => cpu_s)
  return { cpu_s: done.map(({ cpu_s }, at) => cpu_s - start_s[at]!), start_s, seconds, broker_s }
}

const rounded = (value: number): number => Math.round(value * 100) / 100

// The broker compiles what it does often: a round that is not counted leaves it as any that runs.
await runGroup(2)
for (let run = 0; run < Number(RUNS); run++) {
  const one = await runGroup(1)
  const two = await runGroup(2)
  const line = {
    topic: TOPIC,
    one_cpu_s: one.cpu_s.map(rounded),
    two_cpu_s: two.cpu_s.map(rounded),
    broker_cpu_s: [one, two].map(({ broker_s }) => rounded(broker_s)),
    start_cpu_s: [...one.start_s, ...two.start_s].map(rounded),
    one_s: rounded(one.seconds),
    two_s: rounded(two.seconds),
    ratio_by_cpu: rounded(one.cpu_s[0]! / Math.max(...two.cpu_s)),
    ratio_by_time: rounded(one.seconds / two.seconds),
    equal: one.sum === two.sum,
    checksum: one.sum,
    load: rounded(loadavg()[0]!)
  }
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
