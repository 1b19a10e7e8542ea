/** First wait after a failure: long enough for a restarting receiver's socket to come back. */
const WAIT_MS_MIN = 1_000
/** Longest wait of our own choice: a receiver that is back hears of it within five minutes. */
const WAIT_MS_MAX = 300_000
/** Longest wait that a receiver may ask for; beyond an hour a human should have looked. */
export const RETRY_AFTER_MS_MAX = 3_600_000
/** 2^9 seconds exceeds the longest wait already; further doubling would only overflow. */
const DOUBLINGS_MAX = 9

/**
 * How long to wait after the `attempt`-th failure in a row (from 1): exponential, with the upper
 * half left to chance so that senders do not march in step. What the receiver asks for is the least.
 */
export const backoffMs = (
  attempt: number,
  retryAfterMs: number | null,
  random: () => number
): number => {
  const doublings = Math.min(attempt - 1, DOUBLINGS_MAX)
  const ceilingMs = Math.min(WAIT_MS_MIN * 2 ** doublings, WAIT_MS_MAX)
  const waitMs = ceilingMs / 2 + (ceilingMs / 2) * random()
  return Math.max(waitMs, Math.min(retryAfterMs ?? 0, RETRY_AFTER_MS_MAX))
}
