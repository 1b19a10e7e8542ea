/** What the shell reports for a process that SIGINT ended. */
const EXIT_INTERRUPTED = 130

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

export type Stopping = {
  /** Fires at the first SIGTERM or SIGINT. */
  signal: AbortSignal
  /** Leaves the signals to the system again. */
  forget: () => void
}

/**
 * The first signal asks for an orderly end; the next one ends the process at once, which loses
 * nothing that was acknowledged but leaves work to the next start.
 */
export const listenForStop = (told: (text: string) => void): Stopping => {
  const stop = new AbortController()
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stop.signal.aborted) process.exit(EXIT_INTERRUPTED)
    told(`${signal}: finishing what is under way; once more ends at once`)
    stop.abort()
  }
  for (const signal of SIGNALS) process.on(signal, onSignal)
  return {
    signal: stop.signal,
    forget: () => {
      for (const signal of SIGNALS) process.off(signal, onSignal)
    }
  }
}

/** What was printed is out by then, and what ends by itself has ended. */
const LAST_MS = 2_000

/**
 * Ends the process in a moment if it does not end by itself. `process.exit` would wait for a query
 * that a thread is in, however long it takes; a kill leaves nothing that the next start could not
 * read again.
 */
export const endSoon = (): void => {
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), LAST_MS).unref()
}
