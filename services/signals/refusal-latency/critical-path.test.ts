import assert from 'node:assert/strict'
import { test } from 'node:test'
import { criticalPath, type Step } from './critical-path.ts'

const step = (kind: string, startMs: number, endMs: number, more: Partial<Step> = {}): Step => ({
  kind,
  name: null,
  startMs,
  endMs,
  span: null,
  parent: null,
  refused: false,
  ...more
})

const stagesOf = (steps: readonly Step[]) =>
  Object.fromEntries(criticalPath(steps).stages.map(({ stage, ms }) => [stage, ms]))

test('stages in series add up to the whole trace, and what no step explains is waiting', () => {
  const steps = [
    step('guardrail', 0, 200, { name: 'input-guard' }),
    step('llm', 250, 2250),
    step('guardrail', 2250, 2600, { name: 'output-guard' })
  ]
  assert.deepEqual(stagesOf(steps), {
    'input-guard': 200,
    model: 2000,
    'output-guard': 350,
    waiting: 50
  })
  assert.equal(criticalPath(steps).totalMs, 2600)
})

test('a stage that runs beside a longer one costs nothing', () => {
  const steps = [step('llm', 0, 2000), step('guardrail', 0, 900, { name: 'input-guard' })]
  assert.deepEqual(stagesOf(steps), { model: 2000, 'input-guard': 0 })
})

test('stages that overlap share the time by who finished last', () => {
  const steps = [
    step('guardrail', 0, 600, { name: 'a' }),
    step('guardrail', 400, 1000, { name: 'b' })
  ]
  assert.deepEqual(stagesOf(steps), { a: 400, b: 600 })
})

test('the model that is asked again after a refusal is reformulation', () => {
  const steps = [
    step('llm', 0, 1000),
    step('guardrail', 1000, 1300, { name: 'output-guard', refused: true }),
    step('llm', 1300, 2100)
  ]
  const path = criticalPath(steps)
  assert.equal(path.refused, true)
  assert.deepEqual(stagesOf(steps), { model: 1000, 'output-guard': 300, reformulation: 800 })
})

test('a step that holds others explains nothing by itself', () => {
  const steps = [
    step('agent', 0, 3000, { span: 1 }),
    step('tool', 0, 2900, { span: 2, parent: 1, name: 'search' }),
    step('retrieval', 100, 2800, { parent: 2, name: 'kb' })
  ]
  assert.deepEqual(stagesOf(steps), { kb: 2700, waiting: 300 })
})

test('a trace of one step has the path of a trace that holds it twice', () => {
  for (const kind of ['llm', 'guardrail', 'agent']) {
    for (const more of [
      {},
      { name: 'input-guard' },
      { refused: true },
      { span: 1 },
      { span: 1, parent: 1 },
      { span: 1, parent: 2 }
    ]) {
      for (const endMs of [50, 100, 350]) {
        const one = step(kind, 100, endMs, more)
        assert.deepEqual(criticalPath([one]), criticalPath([one, one]), JSON.stringify(one))
      }
    }
  }
})
