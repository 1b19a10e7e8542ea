import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('./stage/main.ts', import.meta.url))

export type StageEnv = Readonly<Record<string, string>>
export type Ended = { code: number | null; signal: NodeJS.Signals | null; output: string }

/** A stage running as a child process. */
export type Child = {
  process: ChildProcess
  /** Resolves once its output holds a text. @throws when the process ends before. */
  said: (text: string) => Promise<void>
  /** Resolves once it said a text so often from now on. @throws when the process ends before. */
  saysAgain: (text: string, times: number) => Promise<void>
  ended: Promise<Ended>
  /** Rejects with what it said when the process ends. */
  failed: Promise<never>
}

/** Starts a stage, under a command that limits it where one is given. */
export const startStage = (env: StageEnv, wrapper: readonly string[] = []): Child => {
  const [command, ...args] = [...wrapper, process.execPath, '--import', 'tsx', MAIN]
  const child = spawn(command, args, {
    env: { ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let output = ''
  let isOver = false
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  }
  const ended = once(child, 'close').then(([code, signal]) => {
    isOver = true
    return { code: code as number | null, signal: signal as NodeJS.Signals | null, output }
  })
  const countOf = (text: string): number => output.split(text).length - 1
  const reaches = async (text: string, times: number): Promise<void> => {
    while (countOf(text) < times) {
      if (isOver) throw new Error(`the stage ended without saying ${text}: ${output}`)
      await Promise.race([once(child.stdout, 'data'), once(child.stderr, 'data'), ended])
    }
  }
  const failed = ended.then(({ output: said }) => Promise.reject(new Error(said)))
  // Whoever waits sees the rejection; until then it is not unhandled.
  failed.catch(() => {})
  return {
    process: child,
    said: (text) => reaches(text, 1),
    saysAgain: (text, times) => reaches(text, countOf(text) + times),
    ended,
    failed
  }
}

/** Runs a stage to its end. */
export const runStageProcess = (env: StageEnv, wrapper?: readonly string[]): Promise<Ended> =>
  startStage(env, wrapper).ended

/** Bounds a consumer of a few records: DuckDB and Node take about 350 MB for any small flush. */
export const PEAK_MB_MAX = 900

/** Most memory that a stage held so far. */
export const peakMegabytes = async (child: Child): Promise<number> => {
  const status = await readFile(`/proc/${child.process.pid}/status`, 'utf8')
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024
}
