import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { checksumLines, writeWindows } from '../race-windows.ts'

/**
 * One consumer on one core, then two of one group on a core each, on the same topic and RUNS times
 * round. On a machine that others use, the time that they take says little; the CPU of the busier
 * one of two against that of the one alone says what two cores of their own would give, with what
 * it takes to start and without.
 */
const MEMBER = fileURLToPath(new URL('./member.js', import.meta.url))
const { BROKERS = '', TOPIC = '', SCHEMA = '', BENCH_DIR = tmpdir(), RUNS = '3' } = process.env
const MS_PER_S = 1000

type Member = { cpu_s: number; start_s: number }
type Group = { members: Member[]; seconds: number; checksum: string }

const runGroup = async (members: number): Promise<Group> => {
  const lake = await mkdtemp(path.join(BENCH_DIR, 'tally-group-'))
  const startMs = performance.now()
  try {
    const cores = Array.from({ length: members }, (_, core) => core)
    const ran = await Promise.all(cores.map((core) => runMember(lake, core, members)))
    const seconds = (performance.now() - startMs) / MS_PER_S
    const out = `${lake}.ndjson`
    await writeWindows(lake, out)
    const { checksum } = await checksumLines(out)
    await rm(out)
    return { members: ran, seconds, checksum: String(checksum) }
  } finally {
    await rm(lake, { recursive: true, force: true })
  }
}

const runMember = async (lake: string, core: number, members: number): Promise<Member> => {
  const args = [BROKERS, TOPIC, SCHEMA, lake, path.basename(lake), String(members)]
  const child = spawn('taskset', ['-c', String(core), process.execPath, MEMBER, ...args], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`a member of the group ended with ${code}`)
  return JSON.parse(Buffer.concat(chunks).toString()) as Member
}

const rounded = (value: number): number => Math.round(value * 100) / 100

for (let run = 0; run < Number(RUNS); run++) {
  const one = await runGroup(1)
  const two = await runGroup(2)
  const all = ({ members }: Group): number[] => members.map(({ cpu_s }) => cpu_s)
  const running = ({ members }: Group): number[] =>
    members.map(({ cpu_s, start_s }) => cpu_s - start_s)
  const ratio = (of: (group: Group) => number[]): number =>
    rounded(of(one)[0]! / Math.max(...of(two)))
  const line = {
    topic: TOPIC,
    one_cpu_s: all(one).map(rounded),
    two_cpu_s: all(two).map(rounded),
    start_cpu_s: [...one.members, ...two.members].map(({ start_s }) => rounded(start_s)),
    ratio_by_cpu: ratio(all),
    ratio_without_start: ratio(running),
    one_s: rounded(one.seconds),
    two_s: rounded(two.seconds),
    ratio_by_time: rounded(one.seconds / two.seconds),
    equal: one.checksum === two.checksum,
    checksum: one.checksum,
    load: rounded(loadavg()[0]!)
  }
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
