import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('./stage/main.ts', import.meta.url))

export type StageEnv = Readonly<Record<string, string>>
export type Ended = { code: number | null; signal: NodeJS.Signals | null; output: string }

/** A stage running as a child process. */
export type Child = {
  process: ChildProcess
  /** Resolves once its output holds a text. @throws when the process ends before. */
  said: (text: string) => Promise<void>
  ended: Promise<Ended>
}

export const startStage = (env: StageEnv): Child => {
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN], {
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, ...env },
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
  const said = async (text: string): Promise<void> => {
    while (!output.includes(text)) {
      if (isOver) throw new Error(`the stage ended without saying ${text}: ${output}`)
      await Promise.race([once(child.stdout, 'data'), ended])
    }
  }
  return { process: child, said, ended }
}

/** Runs a stage to its end. */
export const runStageProcess = (env: StageEnv): Promise<Ended> => startStage(env).ended
