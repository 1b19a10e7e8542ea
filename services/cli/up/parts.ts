import { Failure } from '../../../schemas/failure.ts'

/** A part of the process that runs until it is told to stop. */
export type Part = {
  /** Completes the sentence "… ended". */
  name: string
  /** Rejects when the part can not go on. */
  ended: Promise<void>
  /** Finishes what is under way; resolves when all of it is done. */
  stop: () => Promise<void>
}

export type StopLimits = {
  /** How long all parts together may take to stop. */
  stopMsMax: number
  /** Called with the name of each part that is not waited for any longer. */
  late: (name: string) => void
}

/** Schedulers kill 30 s after they asked for an end; a process that is starved of CPU needs a margin. */
export const STOP_MS_MAX = 23_000

/**
 * Starts parts one after the other and runs them until the signal fires or one of them ends; then
 * stops them in the order in which input flows, so that what one hands on is still taken by the
 * next. A part that fails takes all others with it: half a process would lose things in silence.
 * A part that is still at work when the time is over is left as a kill would leave it, and those
 * behind it are told to stop and not waited for.
 * @throws what made the first part end, naming it.
 */
export const runParts = async (
  starts: readonly (() => Promise<Part>)[],
  signal: AbortSignal,
  { stopMsMax, late }: StopLimits
): Promise<void> => {
  const running: Part[] = []
  let failure: unknown = null
  try {
    for (const start of starts) {
      const part = await start()
      // Awaited below; until then a rejection is not unhandled.
      part.ended.catch(() => undefined)
      running.push(part)
    }
    await Promise.race([aborted(signal), ...running.map(watch)])
  } catch (error) {
    failure = error
  }
  const limit = createLimit(stopMsMax)
  for (const { name, stop } of running) {
    const stopped = stop().catch((error: unknown) => {
      failure ??= named(name, error)
    })
    if (!(await limit.holds(stopped))) late(name)
  }
  limit.forget()
  if (failure !== null) throw failure
}

export type Limit = {
  /** Waits for work until the time is over. @returns whether it was done by then. */
  holds: (work: Promise<unknown>) => Promise<boolean>
  forget: () => void
}

/** One limit for several pieces of work, counted from now on. */
export const createLimit = (ms: number): Limit => {
  const over = new AbortController()
  const timer = setTimeout(() => over.abort(), ms)
  // A turn later, so that what is done at once still counts.
  const isOver = async (): Promise<boolean> => {
    await aborted(over.signal)
    await new Promise((resolve) => setImmediate(resolve))
    return false
  }
  return {
    holds: (work) => Promise.race([work.then(() => true), isOver()]),
    forget: () => clearTimeout(timer)
  }
}

const watch = async ({ name, ended }: Part): Promise<never> => {
  try {
    await ended
  } catch (error) {
    throw named(name, error)
  }
  throw new Failure('E_INTERNAL', `${name} ended although nobody stopped it`)
}

const named = (name: string, error: unknown): Failure => {
  if (!(error instanceof Failure)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return new Failure('E_INTERNAL', `${name} ended: ${text}`, { cause: error })
  }
  const { code, message, hint, retriable } = error
  const detail = { retriable, cause: error, ...(hint === undefined ? {} : { hint }) }
  return new Failure(code, `${name} ended: ${message}`, detail)
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
