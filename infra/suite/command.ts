import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** How a command ended, and everything that it said. */
export type Outcome = { code: number; output: string; seconds: number }

/** Where commands run, and with what environment. */
export type Place = { root: URL; env: NodeJS.ProcessEnv }

/** Runs a command to its end; one that cannot be started has failed. */
export const runCommand = (
  { root, env }: Place,
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
    child.on('error', (error) => finish(1, `${error.message}\n`))
    child.on('close', (code) => finish(code ?? 1))
  })
