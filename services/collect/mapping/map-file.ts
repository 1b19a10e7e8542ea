import { z } from 'zod'
import { EVENT_FIELDS, type FieldKind } from '../../../schemas/event-fields.ts'
import { nearestName } from '../nearest-name.ts'
import { TIME_UNITS, type Conversion } from './convert.ts'
import { parsePath, type Path } from './path.ts'

/** What fills one native field: the first path that has a value, else a constant. */
export type Filler = {
  field: string
  paths: readonly Path[]
  /** Translation of words; a word that is not in it stays as it is. */
  words: Readonly<Record<string, string>>
  constant: unknown
  conversion: Conversion
  /** Without it an event is none. */
  isRequired: boolean
}

/** A mapping that was checked. */
export type FieldMap = {
  /** Where the events stand in a message; null = the message is one, or a list of them. */
  items: Path | null
  /** Which of them are events: the value at a path is one of these. */
  when: { path: Path; values: readonly unknown[] } | null
  fillers: readonly Filler[]
}

/** A complaint about a mapping, by the path in it. */
export type MapIssue = { at: readonly (string | number)[]; message: string }

const Rule = z.strictObject({
  from: z.union([z.string(), z.array(z.string()).min(1)]).optional(),
  value: z.union([z.string(), z.number(), z.boolean()]).optional(),
  unit: z.enum(TIME_UNITS).optional(),
  base: z.iso.datetime({ offset: true }).optional(),
  times: z.number().optional(),
  words: z.record(z.string(), z.string()).optional()
})
type Rule = z.infer<typeof Rule>

const MapFile = z.strictObject({
  items: z.string().optional(),
  when: z
    .strictObject({ from: z.string(), in: z.array(z.union([z.string(), z.number(), z.boolean()])) })
    .optional(),
  fields: z.record(z.string(), z.unknown())
})
type MapFile = z.infer<typeof MapFile>

const KINDS = new Map<string, FieldKind>(EVENT_FIELDS.map(({ path, kind }) => [path, kind]))
const REQUIRED = EVENT_FIELDS.filter(({ required }) => required === true).map(({ path }) => path)
/** Who pays may be told by the sender instead, and what has no id is its content. */
const TOLD_ELSEWHERE = new Set(['id', 'tenant'])
const TAGS = 'tags.'

/** The mapping in a parsed YAML document, or everything that is wrong with it. */
export const readMap = (document: unknown): FieldMap | MapIssue[] => {
  const parsed = MapFile.safeParse(document)
  if (!parsed.success) {
    return parsed.error.issues.map(({ path, message }) => ({ at: path as string[], message }))
  }
  const issues: MapIssue[] = []
  const map = build(parsed.data, issues)
  return issues.length > 0 ? issues : map
}

const build = ({ items, when, fields }: MapFile, issues: MapIssue[]): FieldMap => {
  const pathOf = (text: string, at: readonly (string | number)[]): Path => {
    const path = parsePath(text)
    if (path === null) issues.push({ at, message: `${text} is no path such as $.usage["in"][0]` })
    return path ?? { text, steps: [] }
  }
  const fillers = Object.entries(fields).map(([field, rule]) =>
    filler(field, ruleOf(rule, ['fields', field], issues), { issues, pathOf })
  )
  for (const name of REQUIRED) {
    if (TOLD_ELSEWHERE.has(name) || Object.hasOwn(fields, name)) continue
    issues.push({ at: ['fields'], message: `${name} is missing: an event needs it` })
  }
  return {
    items: items === undefined ? null : pathOf(items, ['items']),
    when:
      when === undefined ? null : { path: pathOf(when.from, ['when', 'from']), values: when.in },
    fillers
  }
}

/** Text that begins with `$` is a path; other text, numbers and booleans hold for every event. */
const ruleOf = (rule: unknown, at: readonly string[], issues: MapIssue[]): Rule => {
  if (typeof rule === 'string' && rule.startsWith('$')) return { from: rule }
  if (typeof rule === 'string' || typeof rule === 'number' || typeof rule === 'boolean') {
    return { value: rule }
  }
  const parsed = Rule.safeParse(rule)
  if (parsed.success) return parsed.data
  for (const { path, message } of parsed.error.issues) {
    issues.push({ at: [...at, ...path.map(String)], message })
  }
  return { value: '' }
}

type Building = {
  issues: MapIssue[]
  pathOf: (text: string, at: readonly (string | number)[]) => Path
}

const filler = (field: string, rule: Rule, { issues, pathOf }: Building): Filler => {
  const at = ['fields', field]
  const kind = kindOf(field, at, issues)
  const { from = [], value, unit, base, times, words = {} } = rule
  const texts = typeof from === 'string' ? [from] : from
  const wrong = wrongRule(rule, texts, kind)
  if (wrong !== null) issues.push({ at, message: wrong })
  return {
    field,
    paths: texts.map((text) => pathOf(text, at)),
    words,
    constant: value,
    isRequired: REQUIRED.includes(field) && !TOLD_ELSEWHERE.has(field),
    conversion: {
      kind,
      unit,
      times,
      baseMs: base === undefined ? undefined : Date.parse(base),
      isDecimal: field === 'cost_reported_usd'
    }
  }
}

const wrongRule = (
  { value, unit, base }: Rule,
  from: readonly string[],
  kind: FieldKind
): string | null => {
  if (from.length === 0 && value === undefined) return 'says neither from nor value'
  const isTimed = unit !== undefined || base !== undefined
  if (isTimed && kind !== 'time') return 'unit and base are for time'
  return base !== undefined && unit === undefined ? 'base needs a unit' : null
}

const kindOf = (field: string, at: readonly string[], issues: MapIssue[]): FieldKind => {
  if (field.startsWith(TAGS) && field.length > TAGS.length) return 'word'
  const kind = KINDS.get(field)
  if (kind !== undefined) return kind
  const nearest = nearestName(field, [...KINDS.keys()])
  const hint = nearest === null ? 'own labels go to tags.<name>' : `did you mean ${nearest}?`
  issues.push({ at, message: `is not a field of an event; ${hint}` })
  return 'word'
}
