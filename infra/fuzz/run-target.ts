import { spawn } from 'node:child_process'
import { mkdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export type Report = {
  inputs: number
  edges: number
  kept: number
  findings: { what: string; base64: string }[]
}

export type RunOptions = { name: string; inputs: number; seed: number; folder: string }

/** An input that is not done after this long never is. */
const SILENCE_MS_MAX = 60_000
/** Enough for any decoder; one that takes more has been made to. */
const HEAP_MB_MAX = 512

const CHILD = fileURLToPath(new URL('./child/main.ts', import.meta.url))

/** Fuzzes one target in a process of its own; an input that ends or stops it is a finding. */
export const runTarget = async ({ name, inputs, seed, folder }: RunOptions): Promise<Report> => {
  await mkdir(folder, { recursive: true })
  const held = path.join(folder, `${name.replaceAll('/', '-')}.input`)
  const heap = `--max-old-space-size=${HEAP_MB_MAX}`
  const args = [heap, '--import', 'tsx', CHILD, name, String(inputs), String(seed), held]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  let report: Report | null = null
  let said = ''
  let isSilent = false
  const stop = (): void => {
    isSilent = true
    child.kill('SIGKILL')
  }
  let silence = setTimeout(stop, SILENCE_MS_MAX)
  child.stderr?.on('data', (chunk: Buffer) => void (said = (said + chunk.toString()).slice(-4_000)))
  child.on('message', (message: { report?: Report }) => {
    clearTimeout(silence)
    silence = setTimeout(stop, SILENCE_MS_MAX)
    report = message.report ?? report
  })
  const code = await new Promise<number | null>((resolve) => void child.on('close', resolve))
  clearTimeout(silence)
  if (report !== null) return report
  const input = await readFile(held).catch(() => Buffer.alloc(0))
  const what = isSilent ? 'hang: an input does not end' : `crash: exit code ${code}\n${said}`
  return { inputs: 0, edges: 0, kept: 0, findings: [{ what, base64: input.toString('base64') }] }
}
