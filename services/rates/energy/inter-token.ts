/** Latency between output tokens from what a usage event carries, in the form SQL repeats. */
export type TimedOutput = {
  durationMs: number | null
  ttftMs: number | null
  out: number | null
  outReasoning: number | null
}

/** Fewer tokens than this say more of the network than of the engine's step. */
export const OUTPUT_TOKENS_MIN = 8

/** Milliseconds per output token, or null. */
export const interTokenMs = ({
  durationMs,
  ttftMs,
  out,
  outReasoning
}: TimedOutput): number | null => {
  const value = perToken(
    durationMs ?? Number.NaN,
    ttftMs ?? Number.NaN,
    out ?? Number.NaN,
    outReasoning ?? Number.NaN
  )
  return value > 0 ? value : null
}

/**
 * The same with NaN for what is not known; what is not above 0 says nothing.
 * The first token's time is taken off only when no reasoning came before it: providers stream visible
 * text, so hidden reasoning would be taken off with it.
 */
export const perToken = (
  durationMs: number,
  ttftMs: number,
  out: number,
  outReasoning: number
): number => {
  if (!(out >= OUTPUT_TOKENS_MIN)) return Number.NaN
  const isStreamed = !Number.isNaN(ttftMs) && (Number.isNaN(outReasoning) || outReasoning === 0)
  return isStreamed ? (durationMs - ttftMs) / (out - 1) : durationMs / out
}
