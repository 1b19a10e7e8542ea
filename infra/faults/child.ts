import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('./stage/main.ts', import.meta.url))

export type StageEnv = Readonly<Record<string, string>>
export type Ended = { code: number | null; signal: NodeJS.Signals | null; output: string }

/** A stage running as a child process. */
export type Child = {
  process: ChildProcess
  /** Resolves once it says that it runs. */
  running: Promise<void>
  ended: Promise<Ended>
}

export const startStage = (env: StageEnv): Child => {
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN], {
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const chunks: string[] = []
  child.stdout.setEncoding('utf8').on('data', (text: string) => chunks.push(text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => chunks.push(text))
  const ended = once(child, 'close').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    output: chunks.join('')
  }))
  const running = once(child.stdout, 'data').then(() => undefined)
  return { process: child, running, ended }
}

/** Runs a stage to its end. */
export const runStageProcess = (env: StageEnv): Promise<Ended> => startStage(env).ended
