import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../../schemas/failure.ts'

/** Times that a question is put again: leaders of new partitions take a moment to be known. */
const ATTEMPTS_MAX = 5
/** First pause, doubled each time: under a second in all. */
const PAUSE_MS = 50

/** Runs `work` again while it fails with something that may pass, a few times. */
export const retryPassing = async <T>(work: () => Promise<T>): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      const mayPass = error instanceof Failure && error.retriable
      if (!mayPass || attempt === ATTEMPTS_MAX) throw error
      await sleep(PAUSE_MS * 2 ** attempt)
    }
  }
}
