import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** Ticks of /proc in a second on Linux. */
const TICKS_PER_S = 100
const KIBIBYTES_PER_MEBIBYTE = 1024
const SOURCE = fileURLToPath(new URL('../../../services/collect/main.ts', import.meta.url))

/** CPU-seconds of all threads, and resident memory; the log's mapped file is counted apart. */
export type Used = { userS: number; systemS: number; rssMib: number; ownMib: number }

export type Collector = {
  url: URL
  used: () => Used
  /** Ends it, and resolves when it is gone. */
  end: (signal: 'SIGTERM' | 'SIGKILL') => Promise<void>
}

export type CollectorPlace = {
  data: string
  /** The only core that it may use; null = all of them. */
  core: number | null
  /** Its program; null = the sources, through tsx. */
  program: string | null
  env: NodeJS.ProcessEnv
  /** Options of node, such as `--cpu-prof`. */
  nodeOptions?: readonly string[]
}

/** Starts a collector of its own process, alone on its core, and resolves when it takes requests. */
export const startCollector = async (place: CollectorPlace): Promise<Collector> => {
  const { data, core, program, env, nodeOptions = [] } = place
  const run = program === null ? ['--import', 'tsx', SOURCE] : [program]
  const pin = core === null ? [] : ['taskset', '-c', String(core)]
  const [command = '', ...args] = [...pin, process.execPath, ...nodeOptions, ...run]
  const child = spawn(command, args, {
    env: { ...env, TALLY_DATA: data, TALLY_PORT: '0' },
    stdio: ['ignore', 'pipe', 'ignore']
  })
  // Whoever ends the bench half-way ends the collector too.
  const orphaned = (): void => void child.kill('SIGKILL')
  process.once('exit', orphaned)
  child.once('exit', () => process.off('exit', orphaned))
  const [line] = (await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`the collector exited: ${code}`)))
  ])) as [string]
  return {
    url: new URL(line),
    used: () => usedBy(child),
    end: async (signal) => {
      const exited = once(child, 'exit')
      child.kill(signal)
      await exited
    }
  }
}

/** Keeps this process, which sends, on one core. */
export const pinSelf = (core: number): void =>
  void execFileSync('taskset', ['-acp', String(core), String(process.pid)])

const usedBy = ({ pid }: ChildProcess): Used => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const mebibytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / KIBIBYTES_PER_MEBIBYTE
  return {
    userS: Number(fields[11]) / TICKS_PER_S,
    systemS: Number(fields[12]) / TICKS_PER_S,
    rssMib: mebibytes('VmRSS'),
    ownMib: mebibytes('RssAnon')
  }
}
