/**
 * House rules as functions over a file: what a reviewer said twice became a check. Each returns
 * the lines that break it, numbered from 1; a file rule that concerns the whole file says line 1.
 */

export type SourceFile = { path: string; text: string }
export type Fault = { path: string; line: number; what: string }
export type Rule = (file: SourceFile) => Fault[]

/** A name that says nothing about what is inside. */
const EMPTY_NAMES = /^(utils?|helpers?|common|misc|types|shared|core|lib)$/
/** Longer files hold more than one idea. */
const FILE_LINES_MAX = 300
/** A README is one screen. */
const README_LINES_MAX = 60
/** Files that hold code of ours, by ending. */
const CODE = /\.(ts|tsx|cjs|mjs|sql|sh|py)$/
const TEXT = /\.(ts|tsx|cjs|mjs|sql|sh|py|md|json|jsonc|ya?ml|txt|toml|css|html|pom|xml)$|Makefile$/
/** Recorded data of other people, and what tools write. */
const FOREIGN = /(^|\/)fixtures\/|^package-lock\.json$|^LICENSE$|NOTICE/
/** Names the rules by their patterns, so it would break them all. */
const SELF = /^infra\/tidy\//

const perLine =
  (applies: (path: string) => boolean, find: (line: string) => string | null): Rule =>
  ({ path, text }) => {
    if (!applies(path) || FOREIGN.test(path) || SELF.test(path)) return []
    const lines = text.split('\n')
    return lines.flatMap((line, index): Fault[] => {
      const what = find(line)
      return what === null ? [] : [{ path, line: index + 1, what }]
    })
  }

const matching = (pattern: RegExp, what: string) => (line: string) => {
  const found = pattern.exec(line)
  return found === null ? null : `${what}: ${found[0].trim()}`
}

const namesSayWhat: Rule = ({ path }) => {
  const parts = path.split('/').map((part) => part.replace(/\..*$/, ''))
  const empty = parts.find((part) => EMPTY_NAMES.test(part))
  return empty === undefined ? [] : [{ path, line: 1, what: `the name ${empty} says nothing` }]
}

const openEndsHaveIssues = perLine(
  (path) => TEXT.test(path),
  matching(/\b(TODO|FIXME|XXX)\b(?!\(#\d+\))/, 'an open end without an issue')
)

const filesAreShort: Rule = ({ path, text }) => {
  const lines = text.trimEnd().split('\n').length
  if (!CODE.test(path) || FOREIGN.test(path) || lines <= FILE_LINES_MAX) return []
  return [{ path, line: 1, what: `${lines} lines` }]
}

const readmesAreShort: Rule = ({ path, text }) => {
  const lines = text.trimEnd().split('\n').length
  if (!/^(services|jobs)\/[^/]+\/README\.md$/.test(path) || lines <= README_LINES_MAX) return []
  return [{ path, line: 1, what: `${lines} lines` }]
}

/**
 * `…_MAX` and `…_MIN` bound something, and only a comment can say why there: above it, above the
 * constants that it directly follows, or behind it.
 */
const limitsSayWhy: Rule = ({ path, text }) => {
  if (!path.endsWith('.ts') || path.endsWith('.test.ts')) return []
  const lines = text.split('\n')
  return lines.flatMap((line, index): Fault[] => {
    const limit = /^(?:export )?const ([A-Z][A-Z0-9_]*_(?:MAX|MIN))\b/.exec(line)?.[1]
    if (limit === undefined || line.includes(' // ') || isExplained(lines, index)) return []
    return [{ path, line: index + 1, what: `${limit} has no comment that says why that number` }]
  })
}

const isExplained = (lines: readonly string[], index: number): boolean => {
  const above = lines[index - 1] ?? ''
  if (/\*\/\s*$|^\/\/ /.test(above)) return true
  return /^(export )?const [A-Z]/.test(above) && isExplained(lines, index - 1)
}

const namesNoRegistry = perLine(
  (path) => TEXT.test(path),
  matching(
    /registry\.(npmjs|yarnpkg)\.\w+|(files\.)?pythonhosted\.org|\bpypi\.org|proxy\.golang\.org|repo1?\.maven\.\w+/,
    'a registry'
  )
)

const namesNoMachine = perLine(
  (path) => TEXT.test(path),
  matching(/(^|[\s'"`(=:])(file:\/\/)?\/(work|root|home)\/[\w.]/, 'a path of one machine')
)

const environmentInMainOnly = perLine(
  (path) => path.endsWith('.ts') && !/(^|\/)main\.ts$|\.test\.ts$/.test(path),
  matching(/\bprocess\.env\b/, 'the environment is for main.ts')
)

/** Every rule by a name that completes "a file must …". */
export const RULES: Readonly<Record<string, Rule>> = {
  'have names that say what is inside': namesSayWhat,
  'leave no open end without an issue': openEndsHaveIssues,
  'hold one idea': filesAreShort,
  'explain a folder on one screen': readmesAreShort,
  'say why each limit is what it is': limitsSayWhy,
  'name no package registry': namesNoRegistry,
  'name no path of a machine': namesNoMachine,
  'leave the environment to main.ts': environmentInMainOnly
}

/** Folders that need a README and have none. */
export const missingReadmes = (paths: readonly string[]): string[] => {
  const known = new Set(paths)
  const folders = paths.flatMap((path) => /^((?:services|jobs)\/[^/]+)\//.exec(path)?.[1] ?? [])
  return [...new Set(folders)].filter((folder) => !known.has(`${folder}/README.md`))
}
