import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const LOOK_MS = 100
/** A flush, a settling and a tick under way end first: seconds each, a minute when the machine is full. */
const STOP_MS_MAX = 60_000
/** Ticks of /proc in a second on Linux. */
const TICKS_PER_S = 100
const KIB_PER_MIB = 1024

/** `tally up`, as users start it, beside this file's build. */
const MAIN = fileURLToPath(new URL('../../../services/cli/main.js', import.meta.url))

export type UpProcess = {
  /** Memory of its own, without mapped files, and CPU-seconds so far. */
  used: () => { mib: number; cpuS: number }
  /** Rejects when it ends by itself. */
  failed: Promise<never>
  /** Ends it; a job that is under way may take its time, but not for ever. */
  stop: () => Promise<void>
}

/** Starts it and resolves once it is ready. */
export const startUp = async (args: readonly string[]): Promise<UpProcess> => {
  const child = spawn(process.execPath, [MAIN, 'up', '--port', '0', '--json', ...args], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const orphaned = (): void => void child.kill('SIGKILL')
  process.once('exit', orphaned)
  const ended = once(child, 'exit').then(([code]) => code as number | null)
  const failed = ended.then((code) => Promise.reject(new Error(`tally up ended with ${code}`)))
  failed.catch(() => {})
  const lines = createInterface({ input: child.stdout })
  const [line] = (await Promise.race([once(lines, 'line'), failed])) as [string]
  const { url } = JSON.parse(line) as { url: string }
  while (!(await fetch(`${url}/readyz`)).ok) await Promise.race([sleep(LOOK_MS), failed])
  return {
    used: () => usedBy(child.pid!),
    failed,
    stop: async () => {
      child.kill('SIGTERM')
      const limit = new AbortController()
      const late = sleep(STOP_MS_MAX, 'late', { signal: limit.signal }).catch(() => 'ended')
      if ((await Promise.race([ended, late])) === 'late') child.kill('SIGKILL')
      await ended
      limit.abort()
      process.off('exit', orphaned)
    }
  }
}

const usedBy = (pid: number): { mib: number; cpuS: number } => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  const own = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return {
    mib: Number(own?.[1]) / KIB_PER_MIB,
    cpuS: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S
  }
}
