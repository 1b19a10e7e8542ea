import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { TokenCounts } from '../../../schemas/event.ts'
import { INPUT_BUCKETS, TOKEN_FIELDS } from '../../../schemas/tokens.ts'
import {
  pathsOf,
  SHAPES,
  truths,
  withValue,
  type Block,
  type Truth
} from './fixtures/written-blocks.ts'
import { normalize, type Normalized } from './normalize.ts'

/** Runs of each property: enough to meet every mutation of every field some dozens of times. */
const RUNS = { seed: 20_260_101, numRuns: 400 }

const cases = fc.record({ truth: truths, shape: fc.constantFrom(...SHAPES) })

const isFlagged = (read: Normalized): boolean =>
  read.confidence === 'low' || read.confidence === 'none' || read.warnings.length > 0

const wrongCounts = ({ tokens }: Normalized, truth: Truth, hasWrites: boolean): string[] => {
  const write = hasWrites ? truth.write : 0
  const expected = {
    in_total: truth.fresh + truth.read + write,
    in_cache_read: truth.read,
    out_total: truth.text + truth.thought,
    out_reasoning: truth.thought
  }
  return (Object.keys(expected) as (keyof typeof expected)[]).filter(
    (name) => tokens[name] !== null && tokens[name] !== expected[name]
  )
}

const checkSums = ({ tokens }: Normalized): void => {
  if (tokens.in_total !== null) {
    const sum = INPUT_BUCKETS.reduce((all, name) => all + (tokens[name] ?? 0), 0)
    assert.equal(sum, tokens.in_total)
  }
  if (tokens.out_text !== null) {
    assert.equal(tokens.out_text + (tokens.out_reasoning ?? 0), tokens.out_total)
  }
}

const checkForm = (read: Normalized): void => {
  const parsed = TokenCounts.safeParse(read.tokens)
  assert.ok(parsed.success, JSON.stringify(parsed.error?.issues))
}

describe('blocks written from a known truth', () => {
  test('are read exactly, with no name given and without a warning that lowers trust', () => {
    fc.assert(
      fc.property(cases, ({ truth, shape }) => {
        const read = normalize({ body: { usage: shape.block(truth) } })
        assert.deepEqual(wrongCounts(read, truth, shape.hasWrites), [], shape.name)
        assert.equal(read.tokens.in_total !== null && read.tokens.out_total !== null, true)
        assert.equal(read.confidence, 'high', `${shape.name} ${read.warnings.join()}`)
        checkSums(read)
        checkForm(read)
      }),
      RUNS
    )
  })

  test('with one odd value are read exactly, or unknown, or flagged', () => {
    const odd = fc.constantFrom<unknown>(
      -1,
      1.5,
      2 ** 53 + 2,
      Number.MAX_VALUE,
      'abc',
      '-7',
      '',
      true,
      [],
      {},
      [1],
      { tokens: 1 }
    )
    fc.assert(
      fc.property(cases, odd, fc.nat(), ({ truth, shape }, value, pick) => {
        const block = shape.block(truth)
        const paths = pathsOf(block)
        const path = paths[pick % paths.length] ?? []
        const read = normalize({ body: { usage: withValue(block, path, value) } })
        const wrong = wrongCounts(read, truth, shape.hasWrites)
        assert.ok(
          wrong.length === 0 || isFlagged(read),
          `${shape.name} ${path.join('.')} ${wrong.join()}`
        )
        checkSums(read)
        checkForm(read)
      }),
      RUNS
    )
  })

  test('with counts as decimal strings are read exactly and flagged', () => {
    fc.assert(
      fc.property(cases, fc.nat(), ({ truth, shape }, pick) => {
        const block = shape.block(truth)
        const paths = pathsOf(block).filter((path) => !path.includes('cost_in_usd_ticks'))
        const path = paths[pick % paths.length] ?? []
        const value = path.reduce<unknown>((inner, key) => (inner as Block)[key], block)
        const read = normalize({ body: { usage: withValue(block, path, String(value)) } })
        assert.deepEqual(wrongCounts(read, truth, shape.hasWrites), [], shape.name)
        assert.ok(read.warnings.some((warning) => warning.startsWith('count_as_string')))
      }),
      RUNS
    )
  })

  test('with another number in one place are exact or flagged where the block can tell', () => {
    const withTotal = SHAPES.filter(({ name }) => name !== 'messages')
    const shapes = fc.constantFrom(...withTotal)
    fc.assert(
      fc.property(truths, shapes, fc.nat(), fc.nat(400_000), (truth, shape, pick, value) => {
        const block = shape.block(truth)
        const paths = pathsOf(block).filter(
          ([first]) => first !== 'cost_in_usd_ticks' && !isInner(first ?? '')
        )
        const path = paths[pick % paths.length] ?? []
        const read = normalize({ body: { usage: withValue(block, path, value) } })
        const wrong = wrongCounts(read, truth, shape.hasWrites)
        assert.ok(
          wrong.length === 0 || isFlagged(read),
          `${shape.name} ${path.join('.')} ${wrong.join()}`
        )
      }),
      RUNS
    )
  })

  test('with one field missing or null keep unknown unknown, and totals right or flagged', () => {
    fc.assert(
      fc.property(cases, fc.nat(), fc.boolean(), ({ truth, shape }, pick, isNull) => {
        const block = shape.block(truth)
        const paths = pathsOf(block)
        const path = paths[pick % paths.length] ?? []
        // A cache count that stands beside the input leaves no trace when it is gone.
        if (shape.name === 'messages' || shape.name === 'converse') {
          if (path.some((key) => /cache|ephemeral/i.test(key))) return
        }
        const read = normalize({
          body: { usage: withValue(block, path, isNull ? null : undefined) }
        })
        const wrong = wrongCounts(read, truth, shape.hasWrites)
        assert.ok(
          wrong.length === 0 || isFlagged(read),
          `${shape.name} ${path.join('.')} ${wrong.join()}`
        )
        checkSums(read)
      }),
      RUNS
    )
  })

  test('with fields that nobody knows give the same buckets', () => {
    const extra = fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue({ maxDepth: 2 }), {
      maxKeys: 4
    })
    fc.assert(
      fc.property(cases, extra, ({ truth, shape }, more) => {
        const block = shape.block(truth)
        const plain = normalize({ body: { usage: block } })
        const read = normalize({ body: { usage: { ...more, ...block }, ...prefixed(more) } })
        assert.deepEqual(read.tokens, plain.tokens)
      }),
      RUNS
    )
  })

  test('with a kind of token that nobody knows are flagged', () => {
    const { warnings, confidence } = normalize({
      body: { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6, hologram_tokens: 900 }
    })
    assert.deepEqual(warnings, ['unknown_token_field'])
    assert.equal(confidence, 'medium')
  })

  test('whose last snapshot is repeated in a stream are the same', () => {
    fc.assert(
      fc.property(cases, fc.nat(3), ({ truth, shape }, times) => {
        const usage = shape.block(truth)
        const last = { id: 'r', choices: [], usage }
        const once = normalize({ body: [last] })
        const read = normalize({ body: [...Array<unknown>(times).fill(last), last] })
        assert.deepEqual(read.tokens, once.tokens)
      }),
      { ...RUNS, numRuns: 100 }
    )
  })
})

/** Counts whose own error nothing else in a block contradicts. */
const isInner = (key: string): boolean => /details|cache|cached|thoughts/i.test(key)

/** Unknown fields of a response must not look like the parts that are known. */
const prefixed = (more: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(more).map(([key, value]) => [`x-${key}`, value]))

const KEYS = [
  ...SHAPES.flatMap(({ block }) =>
    Object.keys(block({ fresh: 1, read: 1, write: 1, text: 1, thought: 1 }))
  ),
  ...TOKEN_FIELDS,
  ...(
    'usage usageMetadata meta billed_units tokens message delta response ' +
    'choices candidates error status type object iterations cacheDetails ' +
    'promptTokensDetails modality tokenCount raw metadata details output finish_reason ' +
    'stop_reason model id content tool_usage cost body __proto__ ' +
    'constructor toString result interaction detail queue_time '
  )
    .trim()
    .split(' ')
]

const hostile = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constantFrom<unknown>(null, 0, 1, -1, 2 ** 53 + 2, 1.5, '', '12', 'message', true),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...KEYS), tie('value'), { maxKeys: 5 })
  )
})).value

describe('hostile bodies', () => {
  test('never make it throw, and never give a count that the schema refuses', () => {
    fc.assert(
      fc.property(hostile, (body) => {
        for (const form of [body, JSON.stringify(body), [body, body]]) {
          const read = normalize({ provider: null, api: null, body: form })
          checkSums(read)
          checkForm(read)
          JSON.stringify(read)
        }
      }),
      { ...RUNS, numRuns: 1000 }
    )
  })

  test('of any JSON or text never make it throw', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.string(), fc.json()), fc.string(), (body, name) => {
        normalize({ body, provider: name, api: name, model: name, emitter: name })
      }),
      RUNS
    )
  })

  test('nested ten thousand deep never make it throw', () => {
    const deep = '{"usage":'.repeat(10_000) + '1' + '}'.repeat(10_000)
    for (const body of [deep, `data: ${deep}\n\n`, JSON.parse(deep) as unknown]) {
      assert.equal(normalize({ body }).confidence, 'none')
    }
  })

  test('of a great many junk lines are refused', () => {
    for (const junk of ['data: {not json\n', 'data: {not json}\n', '{"a":\n']) {
      assert.equal(normalize({ body: junk.repeat(20_000) }).confidence, 'none')
    }
  })
})
