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

/**
 * Starts parts one after the other and runs them until the signal fires or one of them ends; then
 * stops them in the order in which input flows, so that what one hands on is still taken by the
 * next. A part that fails takes all others with it: half a process would lose things in silence.
 * @throws what made the first part end, naming it.
 */
export const runParts = async (
  starts: readonly (() => Promise<Part>)[],
  signal: AbortSignal
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
  for (const part of running) {
    await part.stop().catch((error: unknown) => {
      failure ??= named(part.name, error)
    })
  }
  if (failure !== null) throw failure
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
