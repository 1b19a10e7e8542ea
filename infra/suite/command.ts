import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** How a command ended, and everything that it said. */
export type Outcome = { code: number; output: string; seconds: number }

/** Where commands run, with what environment, and for how long at most. */
export type Place = { root: URL; env: NodeJS.ProcessEnv; secondsMax?: number }

/** Runs a command to its end; one that cannot be started, or takes too long, has failed. */
export const runCommand = (
  { root, env, secondsMax }: Place,
  command: string,
  args: readonly string[]
): Promise<Outcome> =>
  new Promise((resolve) => {
    const startedMs = performance.now()
    const child = spawn(command, args, {
      cwd: fileURLToPath(root),
      env,
      stdio: ['ignore', 'pipe', 'pipe']
    })
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
    const finish = (code: number, more = ''): void =>
      resolve({
        code,
        output: Buffer.concat(chunks).toString() + more,
        seconds: (performance.now() - startedMs) / 1000
      })
    let isLate = false
    const kill = (): void => {
      isLate = true
      child.kill('SIGKILL')
      // What it started may hold them open.
      child.stdout.destroy()
      child.stderr.destroy()
    }
    const limit = secondsMax === undefined ? undefined : setTimeout(kill, secondsMax * 1000)
    child.on('error', (error) => finish(1, `${error.message}\n`))
    child.on('close', (code) => {
      clearTimeout(limit)
      finish(code ?? 1, isLate ? `not ended after ${secondsMax} s\n` : '')
    })
  })
