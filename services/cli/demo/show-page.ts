import { spawn } from 'node:child_process'
import pino from 'pino'
import type { CommandIo } from '../command.ts'
import { runServe } from '../up/serve.ts'
import { listenForStop } from '../up/signals.ts'

/** All that was sent, in minutes. */
const RANGE = 'last=2h'

/**
 * Serves the page over what the demo made until Ctrl-C, and opens it where somebody sits in front.
 * @param meanwhile what is still to be told, once the page is there.
 */
export const showPage = async (
  data: string,
  io: CommandIo,
  meanwhile: (signal: AbortSignal) => Promise<void>
): Promise<void> => {
  const stopping = listenForStop((line) => io.stderr.write(`${line}\n`))
  let told: Promise<void> = Promise.resolve()
  const started = (url: string): void => {
    const page = `${url}/?${RANGE}`
    io.stdout.write(`\nThe page is at ${page}\n`)
    io.stderr.write('stop with Ctrl-C\n')
    if ('isTTY' in io.stdout && io.stdout.isTTY === true) open(page)
    told = meanwhile(stopping.signal)
    // Whoever waits for it below gets to know; until then nobody does.
    told.catch(() => undefined)
  }
  const options = { place: { data }, host: '127.0.0.1', port: 0, keyFile: null }
  const doors = { logger: pino({ name: 'demo', level: 'warn' }, io.stderr), now: io.now, started }
  try {
    await runServe(options, doors, stopping.signal)
    await told.catch((error: unknown) => {
      if (!stopping.signal.aborted) throw error
    })
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
