/** A stretch [fromMs, toMs) of time, milliseconds since the epoch. */
export type Span = { fromMs: number; toMs: number }

/** Spans in order, those that touch or overlap as one. */
export const joined = (spans: readonly Span[]): Span[] => {
  const all: Span[] = []
  for (const { fromMs, toMs } of [...spans].sort((a, b) => a.fromMs - b.fromMs)) {
    const last = all.at(-1)
    if (last !== undefined && fromMs <= last.toMs) last.toMs = Math.max(last.toMs, toMs)
    else if (fromMs < toMs) all.push({ fromMs, toMs })
  }
  return all
}

/** What is left of a span when holes are taken out. */
export const without = ({ fromMs, toMs }: Span, holes: readonly Span[]): Span[] => {
  const left: Span[] = []
  let atMs = fromMs
  for (const hole of joined(holes)) {
    if (hole.toMs <= atMs || hole.fromMs >= toMs) continue
    if (hole.fromMs > atMs) left.push({ fromMs: atMs, toMs: hole.fromMs })
    atMs = hole.toMs
  }
  if (atMs < toMs) left.push({ fromMs: atMs, toMs })
  return left
}

/** The whole units within a span; null where there is none. */
export const wholeUnits = ({ fromMs, toMs }: Span, unitMs: number): Span | null => {
  const whole = {
    fromMs: Math.ceil(fromMs / unitMs) * unitMs,
    toMs: Math.floor(toMs / unitMs) * unitMs
  }
  return whole.fromMs < whole.toMs ? whole : null
}

export const touches = (a: Span, b: Span): boolean => a.fromMs < b.toMs && b.fromMs < a.toMs
