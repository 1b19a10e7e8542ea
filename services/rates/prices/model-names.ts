/**
 * Names under which a model may stand in the book, most exact first. Nothing is matched by
 * likeness: only prefixes that say where a model lives and suffixes that date a release come off.
 */
export type ModelName = {
  name: string
  /** What was taken off, when that may matter for the price. */
  assumed?: 'undated'
}

const PATHS = [
  /^models\//,
  /^publishers\/[^/]+\/models\//,
  /^projects\/.*\/(?:models|endpoints)\//,
  /^accounts\/[^/]+\/models\//,
  /^arn:aws[^:]*:bedrock:[^/]*\//
] as const

const DATES = [/[-@]\d{8}$/, /-\d{4}-\d{2}-\d{2}$/, /@(?:default|latest)$/] as const

const withoutPath = (name: string): string[] => {
  const bare = PATHS.reduce((left, path) => left.replace(path, ''), name)
  return bare === name ? [name] : [name, bare]
}

/** `anthropic/claude-…` at Anthropic is `claude-…`; at a gateway the prefix is part of the name. */
const withoutVendor = (name: string): string[] => {
  const slash = name.lastIndexOf('/')
  return slash < 0 ? [name] : [name, name.slice(slash + 1)]
}

const undated = (name: string): string[] =>
  DATES.map((date) => name.replace(date, '')).filter((short) => short !== name)

/** Candidates for a lookup; an assumption stands beside those that need one. */
export const modelNames = (model: string): ModelName[] => {
  const lower = model.trim().toLowerCase()
  const exact = [...new Set(withoutPath(lower).flatMap(withoutVendor))]
  const loose = [...new Set(exact.flatMap(undated))]
  return [
    ...exact.map((name) => ({ name })),
    ...loose.map((name): ModelName => ({ name, assumed: 'undated' }))
  ]
}
