import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import ts from 'typescript'

/**
 * Every regular expression of the product over texts that are made to be hard for it: what it repeats,
 * again and again, and then something that it does not end with. One that takes time with the square
 * of a text's length is found by doubling; a server that runs it stands still.
 */
const ROOT = new URL('../../', import.meta.url)
const FOLDERS = ['schemas', 'services', 'jobs']
/** Text that one field may hold: a name, a header, a line of a message. */
const LENGTH = 10_000
/** What doubles with each letter shows at once, what takes the cube at a thousand. */
const LENGTHS = [24, 1_000, LENGTH]
/** What a linear expression needs for a text of this length is a thousandth of it. */
const CPU_MS_MAX = 20

/** Expressions over texts that are short by themselves, or that only the operator writes. */
const SHORT: Readonly<Record<string, string>> = {
  'schemas/money.ts 0+$': 'the twelve decimals of an amount',
  'services/collect/label.ts \\.?0+$': 'a number that was just printed',
  'services/collect/normalize/cost.ts \\.?0+$': 'a number that was just printed',
  'services/collect/sources/avro/registry.ts \\/+$': 'an address in the settings',
  'jobs/alert/links.ts \\/+$': 'an address in the settings',
  'jobs/alert/channels/alertmanager/channel.ts \\/+$': 'an address in the settings',
  'jobs/chargeback/render/statement-html.ts \\B(?=(\\d{3})+$)': 'the digits of an amount',
  'services/cli/verb-summaries.ts ^\\s*summary:\\s*(?:\'((?:[^\'\\\\\\n]|\\\\.)*)\'|"((?:[^"\\\\\\n]|\\\\.)*)")':
    'a file of this product'
}

type Pattern = { place: string; source: string; flags: string }

const patternsOf = (path: string): Pattern[] => {
  const text = readFileSync(new URL(path, ROOT), 'utf8')
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true)
  const found: Pattern[] = []
  const visit = (node: ts.Node): void => {
    if (node.kind === ts.SyntaxKind.RegularExpressionLiteral) {
      const literal = node.getText(file)
      const end = literal.lastIndexOf('/')
      const { line } = file.getLineAndCharacterOfPosition(node.getStart(file))
      const [source, flags] = [literal.slice(1, end), literal.slice(end + 1)]
      found.push({ place: `${path}:${line + 1}`, source, flags })
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

const patterns = FOLDERS.flatMap((folder) =>
  readdirSync(new URL(folder, ROOT), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !/\.test\.ts$|fixtures\/|\/build\//.test(name))
    .flatMap((name) => patternsOf(`${folder}/${name}`))
)

/** Characters worth repeating: those that the expression names, and one of each class. */
const alphabetOf = (source: string): string[] => {
  const named = source.replaceAll(/\\[nrtdwsDWSbBpPuxk](\{[^}]*\})?|[\\^$.*+?()[\]{}|]/g, '')
  return [...new Set(Array.from(`a1 _-.:/\t"A${named}`))].slice(0, 18)
}

/** What comes before the repetition: the words that the expression begins with lead into it. */
const leadsOf = (source: string): string[] => {
  const words = source.match(/[A-Za-z0-9 "'=:/._-]{2,}/g) ?? []
  return ['', ...new Set(words)].slice(0, 3)
}

const hardTexts = function* (source: string): Generator<string> {
  for (const length of LENGTHS) yield* textsOf(source, length)
}

const textsOf = function* (source: string, length: number): Generator<string> {
  const alphabet = alphabetOf(source)
  for (const lead of leadsOf(source)) {
    for (const one of alphabet) yield `${lead}${one.repeat(length)}\u0001`
    // Two that take turns, for repetitions of groups.
    const few = alphabet.slice(0, 4)
    const pairs = few.flatMap((one) => few.map((other) => one + other))
    for (const pair of pairs) yield `${lead}${pair.repeat(length / 2)}\u0001`
  }
}

/** CPU that the hardest of the texts takes; stops at the first that takes too much. */
const hardest = ({ source, flags }: Pick<Pattern, 'source' | 'flags'>): number => {
  const pattern = new RegExp(source, flags)
  let most = 0
  for (const text of hardTexts(source)) {
    const startedMs = performance.now()
    pattern.lastIndex = 0
    pattern.exec(text)
    // A busy machine is slow by itself: only then is the CPU looked at.
    if (performance.now() - startedMs > CPU_MS_MAX) most = Math.max(most, cpuMs(pattern, text))
    if (most > CPU_MS_MAX) break
  }
  return most
}

const cpuMs = (pattern: RegExp, text: string): number => {
  const before = process.cpuUsage()
  pattern.lastIndex = 0
  pattern.exec(text)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

const nameOf = ({ place, source }: Pattern): string => `${place.split(':')[0]} ${source}`

describe('the regular expressions of the product', () => {
  test('are all found', () => {
    assert.ok(patterns.length > 150, String(patterns.length))
  })

  test('take time with the length of a text, not with its square', () => {
    const long = patterns.filter((pattern) => SHORT[nameOf(pattern)] === undefined)
    const slow = long.filter((pattern) => hardest(pattern) > CPU_MS_MAX)
    assert.deepEqual(
      // A pause of the machine is no property of the expression.
      slow
        .filter((pattern) => hardest(pattern) > CPU_MS_MAX)
        .map(({ place, source }) => `${place} ${source}`),
      []
    )
  })

  test('would not pass with a square, or worse', () => {
    for (const source of ['\\s+$', '(.*)=(.*);$', '^(?:a|a)*b']) {
      assert.ok(hardest({ source, flags: '' }) > CPU_MS_MAX, source)
    }
  })

  test('are excused only where they are', () => {
    const names = new Set(patterns.map(nameOf))
    assert.deepEqual(
      Object.keys(SHORT).filter((name) => !names.has(name)),
      []
    )
  })
})
