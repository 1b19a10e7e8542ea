/** Latency between output tokens from what a usage event carries, in the form SQL repeats. */
export type TimedOutput = {
  durationMs: number | null
  ttftMs: number | null
  out: number | null
  outReasoning: number | null
}

/** Fewer tokens than this say more of the network than of the engine's step. */
export const OUTPUT_TOKENS_MIN = 8

/**
 * Milliseconds per output token, or null. The first token's time is taken off only when no reasoning
 * came before it: providers stream visible text, so hidden reasoning would be taken off with it.
 */
export const interTokenMs = ({
  durationMs,
  ttftMs,
  out,
  outReasoning
}: TimedOutput): number | null => {
  if (durationMs === null || out === null || out < OUTPUT_TOKENS_MIN) return null
  const streamed = ttftMs !== null && (outReasoning ?? 0) === 0
  const value = streamed ? (durationMs - ttftMs) / (out - 1) : durationMs / out
  return value > 0 ? value : null
}
