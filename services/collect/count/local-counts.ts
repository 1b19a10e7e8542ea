import { dominantScript } from './script.ts'
import { tokenizer } from './tokenizer.ts'

/** What we count ourselves where content is at hand; the content itself goes no further. */
export type LocalCounts = {
  local: { tokenizer: string; in: number | null; out: number | null } | null
  script: string | null
}

/** Keys under which requests and responses of any provider hold text. */
const TEXT_KEYS: ReadonlySet<string> = new Set(
  (
    'content text input output system instructions prompt messages parts contents choices message ' +
    'candidates arguments thinking reasoning reasoning_content completion delta'
  ).split(' ')
)
/** Texts beyond it are not counted: a count of a part would be a wrong count. */
const CHARACTERS_MAX = 2 * 1024 * 1024
/** Deeper than any request nests its text. */
const DEPTH_MAX = 12

/** All text of a request or response body, in its order; null when there is none or too much. */
export const textOf = (body: unknown): string | null => {
  const pieces: string[] = []
  gather(body, pieces, 0)
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  return length === 0 || length > CHARACTERS_MAX ? null : pieces.join('\n')
}

const gather = (value: unknown, pieces: string[], depth: number): void => {
  if (typeof value === 'string') {
    pieces.push(value)
  } else if (depth < DEPTH_MAX && Array.isArray(value)) {
    for (const item of value as unknown[]) gather(item, pieces, depth + 1)
  } else if (depth < DEPTH_MAX && typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      if (TEXT_KEYS.has(key)) gather(item, pieces, depth + 1)
    }
  }
}

/**
 * Counts of texts by the tokenizer, where `loadTokenizer` found one, and the script of what was
 * asked. Tool schemas and what a provider adds around messages are not text and not counted.
 */
export const localCounts = (input: string | null, output: string | null): LocalCounts => {
  const counter = tokenizer()
  const count = (text: string | null): number | null =>
    text === null || counter === null ? null : counter.count(text)
  const any = counter !== null && (input !== null || output !== null)
  return {
    local: any ? { tokenizer: counter.id, in: count(input), out: count(output) } : null,
    script: dominantScript(input ?? output ?? '')
  }
}
