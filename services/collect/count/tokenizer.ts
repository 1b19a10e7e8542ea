import { createRequire } from 'node:module'

/** Counts tokens on our side; absent where no tokenizer is installed, and then nothing is counted. */
export type Tokenizer = {
  /** Package, version and encoding: `gpt-tokenizer@4.0.0/o200k_base`. */
  id: string
  count: (text: string) => number
}

type Encoding = { countTokens: (text: string, options: object) => number }

/** Optional package; absent, local counts stay null. */
const PACKAGE = 'gpt-tokenizer'
/**
 * The encoding of OpenAI's models since gpt-4o, and the yardstick for all others, whose own are
 * not public: what matters is that it stays the same, so that drift from the billed count shows.
 */
const ENCODING = 'o200k_base'
/** Names of special tokens in a text are text. */
const PLAIN = { disallowedSpecial: new Set<string>() }

let loading: Promise<Tokenizer | null> | null = null
let loaded: Tokenizer | null = null

/** Loads the tokenizer once, if there is one; takes a quarter of a second of CPU. */
export const loadTokenizer = (): Promise<Tokenizer | null> => (loading ??= load())

/** The tokenizer, once `loadTokenizer` has found one. */
export const tokenizer = (): Tokenizer | null => loaded

const load = async (): Promise<Tokenizer | null> => {
  try {
    const { countTokens } = (await import(`${PACKAGE}/encoding/${ENCODING}`)) as Encoding
    const { version } = createRequire(import.meta.url)(`${PACKAGE}/package.json`) as {
      version: string
    }
    const id = `${PACKAGE}@${version}/${ENCODING}`
    loaded = { id, count: (text) => countTokens(text, PLAIN) }
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error
  }
  return loaded
}
