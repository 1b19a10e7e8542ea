import { spawn } from 'node:child_process'
import pino from 'pino'
import type { CommandIo } from '../command.ts'
import { runServe } from '../up/serve.ts'
import { listenForStop } from '../up/signals.ts'

/** The recorded hour, in minutes. */
const RANGE = 'last=2h'

/** Serves the page over what the demo made until Ctrl-C, and opens it where somebody sits in front. */
export const showPage = async (data: string, io: CommandIo): Promise<void> => {
  const stopping = listenForStop((line) => io.stderr.write(`${line}\n`))
  const started = (url: string): void => {
    const page = `${url}/?${RANGE}`
    io.stdout.write(`\nThe page is at ${page}\n`)
    io.stderr.write('stop with Ctrl-C\n')
    if ('isTTY' in io.stdout && io.stdout.isTTY === true) open(page)
  }
  const options = { place: { data }, host: '127.0.0.1', port: 0, keyFile: null }
  const doors = { logger: pino({ name: 'demo', level: 'warn' }, io.stderr), now: io.now, started }
  try {
    await runServe(options, doors, stopping.signal)
  } finally {
    stopping.forget()
  }
}

/** Programs that open an address, by platform. */
const OPENERS: Partial<Record<NodeJS.Platform, string>> = { darwin: 'open', linux: 'xdg-open' }

/** Where there is none, the address that was printed does. */
const open = (page: string): void => {
  const opener = OPENERS[process.platform]
  if (opener === undefined) return
  const child = spawn(opener, [page], { stdio: 'ignore', detached: true })
  child.on('error', () => undefined)
  child.unref()
}
