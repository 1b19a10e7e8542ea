/**
 * Which known name was meant by an unknown one: the smallest edit distance over spellings made
 * equal (`traceId`, `trace-id` and `trace_id` are one), then words in common, then what other
 * systems call the same thing.
 */

/** Names that other systems use for our fields and that no edit distance would find. */
const SYNONYMS: ReadonlyMap<string, string> = new Map([
  ['timestamp', 'time'],
  ['start_time', 'time'],
  ['created_at', 'time'],
  ['type', 'kind'],
  ['event_type', 'kind'],
  ['operation', 'kind'],
  ['customer', 'tenant'],
  ['customer_id', 'tenant'],
  ['org', 'tenant'],
  ['organization', 'tenant'],
  ['account', 'tenant'],
  ['subject', 'tenant'],
  ['model', 'request_model'],
  ['latency', 'duration_ms'],
  ['latency_ms', 'duration_ms'],
  ['session_id', 'conversation_id'],
  ['cost', 'cost_reported_usd'],
  ['cost_usd', 'cost_reported_usd'],
  ['metadata', 'tags'],
  ['labels', 'tags'],
  ['attributes', 'tags'],
  ['finish_reason', 'stop_reason'],
  ['prompt_tokens', 'usage'],
  ['completion_tokens', 'usage'],
  ['input_tokens', 'usage'],
  ['output_tokens', 'usage'],
  ['total_tokens', 'usage']
])

/** A third of the letters may differ; beyond that a suggestion misleads. */
const DISTANCE_SHARE_MAX = 1 / 3
/** Names longer than this are not typing errors of ours, and comparing them costs. */
const NAME_LENGTH_MAX = 64

/** The known name nearest to `name`, or null when none is near. */
export const nearestName = (name: string, known: readonly string[]): string | null => {
  if (name.length === 0 || name.length > NAME_LENGTH_MAX) return null
  const wanted = spelling(name)
  const synonym = SYNONYMS.get(wanted)
  if (synonym !== undefined && known.includes(synonym)) return synonym
  return nearestBySpelling(wanted, known) ?? nearestByWords(wanted, known)
}

const nearestBySpelling = (wanted: string, known: readonly string[]): string | null => {
  let best: string | null = null
  let bestDistance = Math.floor(wanted.length * DISTANCE_SHARE_MAX) + 1
  for (const candidate of known) {
    const spelled = spellingOfKnown(candidate)
    // Each letter more or less is a difference.
    if (Math.abs(spelled.length - wanted.length) >= bestDistance) continue
    const distance = editDistance(wanted, spelled)
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance]
  }
  return best
}

const nearestByWords = (wanted: string, known: readonly string[]): string | null => {
  const words = new Set(wanted.split('_'))
  let best: string | null = null
  let bestShare = 0
  for (const candidate of known) {
    const parts = candidate.split('_')
    const common = parts.filter((part) => words.has(part)).length
    const share = common / Math.max(parts.length, words.size)
    if (share > bestShare) [best, bestShare] = [candidate, share]
  }
  return bestShare >= 1 / 2 ? best : null
}

const spelling = (name: string): string =>
  name
    .replaceAll(/([a-z\d])([A-Z])/g, '$1_$2')
    .replaceAll(/[-.\s]+/g, '_')
    .toLowerCase()

const spellings = new Map<string, string>()

/** The same for known names, which are few and asked for again and again. */
const spellingOfKnown = (name: string): string => {
  const known = spellings.get(name) ?? spelling(name)
  spellings.set(name, known)
  return known
}

/** Optimal string alignment distance: insert, delete, replace, or swap of two neighbours. */
export const editDistance = (a: string, b: string): number => {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const cost = a[row - 1] === b[column - 1] ? 0 : 1
      let distance = Math.min(
        (current[column - 1] ?? 0) + 1,
        (last[column] ?? 0) + 1,
        (last[column - 1] ?? 0) + cost
      )
      if (isSwap(a, b, row, column))
        distance = Math.min(distance, (beforeLast[column - 2] ?? 0) + 1)
      current.push(distance)
    }
    beforeLast = last
    last = current
  }
  return last[b.length] ?? 0
}

const isSwap = (a: string, b: string, row: number, column: number): boolean =>
  row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
