import type { Outcome } from '../channel.ts'

/**
 * One attempt at telling. What a channel throws (a secret file that is away while it is being
 * rotated, a defect of its own) counts as a failure that may pass: it is reported like one, loses
 * no alert, and keeps one bad channel from ending the others.
 */
export const attempt = async (send: () => Promise<Outcome>): Promise<Outcome> => {
  try {
    return await send()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { kind: 'retry', reason, retryAfterMs: null }
  }
}
