import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Failure } from '../../../schemas/failure.ts'
import { boundaryEnergy } from './boundary.ts'
import { estimateEnergy, type EnergyRequest } from './estimate.ts'
import { answerEstimateLine, engineYearOf } from './estimate-line.ts'
import { parseFactors } from './factors.ts'
import { findGpu } from './gpu.ts'
import { interTokenMs } from './inter-token.ts'
import { findModel } from './model-table.ts'
import { findPrecision } from './precision.ts'
import { splitWeights } from './roofline.ts'

const CASE: EnergyRequest = {
  model: 'meta-llama/Llama-3.1-8B-Instruct',
  gpu: 'H100',
  gpuCount: 1,
  precision: 'bf16',
  engineYear: 2025,
  concurrency: 64,
  inUncached: 250,
  inCacheRead: 0,
  out: 396
}
const mid = (change: Partial<EnergyRequest>): number =>
  estimateEnergy({ ...CASE, ...change }).joules.mid

test('models are found by the names that hubs, clouds and gateways give them', () => {
  const cases = [
    ['meta-llama/Meta-Llama-3.1-8B-Instruct', 'llama-3.1-8b'],
    ['us.meta.llama3-1-70b-instruct-v1:0', 'llama-3.1-70b'],
    ['accounts/fireworks/models/llama-v3p1-405b-instruct', 'llama-3.1-405b'],
    ['llama-3.3-70b-versatile', 'llama-3.3-70b'],
    ['llama3.1:8b', 'llama-3.1-8b'],
    ['Qwen/Qwen3-235B-A22B-Instruct-2507-FP8', 'qwen3-235b-a22b'],
    ['qwen/qwen3-coder-30b-a3b-instruct', 'qwen3-30b-a3b'],
    ['deepseek-ai/DeepSeek-R1-Distill-Llama-70B', 'deepseek-r1-distill-llama-70b'],
    ['deepseek-ai/DeepSeek-R1', 'deepseek-v3'],
    ['mistralai/Mixtral-8x7B-Instruct-v0.1', 'mixtral-8x7b'],
    ['google/gemma-2-27b-it', 'gemma-2-27b'],
    ['google/gemma-7b-it', 'gemma-7b'],
    ['gpt-4o-2024-08-06', 'gpt-4o-2024-08-06'],
    ['gpt-4o-2031-01-01', 'gpt-4o'],
    ['claude-opus-4-5', 'claude-opus-4-5-20251101'],
    ['anthropic.claude-opus-4-5-20251101-v1:0', 'claude-opus-4-5-20251101']
  ] as const
  for (const [name, expected] of cases) assert.equal(findModel(name)?.name, expected, name)
  assert.equal(findModel('acme-9b-chat')?.totalB, 9)
  assert.equal(findModel('acme-30b-a3b')?.activeB, 3)
  assert.equal(findModel('acme-large'), null)
  assert.equal(findModel(''), null)
})

test('GPUs and precisions are found by the names that exporters print', () => {
  const gpus = [
    ['NVIDIA H100 80GB HBM3', 'H100'],
    ['NVIDIA-H100-PCIe', 'H100 PCIe'],
    ['A100-SXM4-80GB', 'A100-80GB'],
    ['NVIDIA A100-SXM4-40GB', 'A100-40GB'],
    ['Tesla T4', 'T4'],
    ['NVIDIA L40S', 'L40S'],
    ['AMD Instinct MI300X', 'MI300X'],
    ['NVIDIA GB200', 'GB200'],
    ['GH200 480GB', 'GH200']
  ] as const
  for (const [name, expected] of gpus) assert.equal(findGpu(name)?.name, expected, name)
  assert.equal(findGpu('abacus'), null)
  const formats = [
    ['bfloat16', 'bf16'],
    ['Llama-3.1-405B-FP8', 'fp8'],
    ['Qwen2.5-7B-AWQ', 'int4'],
    ['mxfp4', 'mxfp4']
  ] as const
  for (const [text, expected] of formats) assert.equal(findPrecision(text), expected)
  assert.equal(findPrecision('llama'), null)
})

test('experts are split so that totals and active parameters come out', () => {
  for (const name of [
    'mixtral-8x22b',
    'qwen3-235b-a22b',
    'gpt-oss-120b',
    'deepseek-v3',
    'llama-4-maverick'
  ]) {
    const model = findModel(name)
    assert.ok(model !== null)
    const { fixed, experts, expertRate } = splitWeights(model)
    assert.ok(Math.abs((fixed + experts) / (model.totalB * 1e9) - 1) < 0.03, name)
    assert.ok(Math.abs((fixed + experts * expertRate) / (model.activeB * 1e9) - 1) < 0.6, name)
  }
})

test('energy rises with work and model, falls with batch, and cached input costs a tenth', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50_000 }),
      fc.integer({ min: 1, max: 4000 }),
      fc.integer({ min: 1, max: 500 }),
      (input, out, batch) => {
        const at = (change: Partial<EnergyRequest>) =>
          mid({ inUncached: input, out, concurrency: batch, ...change })
        const base = at({})
        assert.ok(at({ out: out + 1 }) > base)
        assert.ok(at({ inUncached: input + 1 }) > base)
        assert.ok(at({ concurrency: batch + 1 }) < base)
        assert.ok(at({ inUncached: 0, inCacheRead: input }) < base)
        assert.ok(at({ model: 'llama-3.1-70b' }) > base)
        const { joules } = estimateEnergy({ ...CASE, inUncached: input, out, concurrency: batch })
        assert.ok(joules.low < joules.mid && joules.mid < joules.high)
      }
    ),
    { numRuns: 100, seed: 5 }
  )
})

test('the less is known, the wider the interval and the higher the tier', () => {
  const spread = (change: Partial<EnergyRequest>) => {
    const { joules, tier } = estimateEnergy({ ...CASE, ...change })
    return { tier, spread: joules.high / joules.low }
  }
  const both = spread({ interTokenMs: 11.5 })
  const batch = spread({})
  const latency = spread({ concurrency: null, interTokenMs: 11.5 })
  const neither = spread({ concurrency: null })
  const closed = spread({
    model: 'gpt-4o',
    gpu: null,
    gpuCount: null,
    precision: null,
    concurrency: null
  })
  const unknown = spread({
    model: 'acme-large',
    gpu: null,
    gpuCount: null,
    precision: null,
    concurrency: null
  })
  const order = [both, batch, latency, neither, closed, unknown]
  assert.deepEqual(
    order.map(({ tier }) => tier),
    ['E1', 'E1', 'E2', 'E3', 'E4', 'E4']
  )
  for (const [index, { spread: width }] of order.entries()) {
    assert.ok(index === 0 || width > (order[index - 1]?.spread ?? 0), JSON.stringify(order))
  }
  assert.ok(unknown.spread > 8)
})

test('published figures of closed models lie inside the interval', () => {
  const wattHours = (model: string, out: number) => {
    const { joules } = estimateEnergy({ model, inUncached: 300, out })
    const { site } = boundaryEnergy(joules)
    return { low: site.low / 3600, high: site.high / 3600 }
  }
  const chat = wattHours('gpt-4o', 300)
  for (const published of [0.3, 0.34, 0.42])
    assert.ok(chat.low < published && published < chat.high)
  const fast = wattHours('gemini-2.5-flash', 300)
  assert.ok(fast.low < 0.24 && 0.24 < fast.high)
})

test('what is not reported is assumed and named, never taken for nothing', () => {
  const silent = estimateEnergy({ ...CASE, inUncached: null, inCacheRead: null })
  assert.ok(silent.parts.prefill > 0)
  assert.ok(silent.assumptions.some((what) => what.includes('input not reported')))
  assert.equal(estimateEnergy({ ...CASE, inUncached: 0 }).parts.prefill, 0)
  const nothing = estimateEnergy({ ...CASE, inUncached: 0, out: 0 })
  assert.deepEqual(nothing.joules, { low: 0, mid: 0, high: 0 })
})

test('latency between tokens leaves out the first token unless hidden reasoning came before it', () => {
  const timed = { durationMs: 1100, ttftMs: 100, out: 101, outReasoning: null }
  assert.equal(interTokenMs(timed), 10)
  assert.equal(interTokenMs({ ...timed, outReasoning: 50 }), 1100 / 101)
  assert.equal(interTokenMs({ ...timed, ttftMs: null }), 1100 / 101)
  assert.equal(interTokenMs({ ...timed, out: 4 }), null)
  assert.equal(interTokenMs({ ...timed, durationMs: 50 }), null)
})

test('the year of the software is read from engine, version or time', () => {
  assert.equal(engineYearOf({ engine: 'vLLM (2024)' }), 2024)
  assert.equal(engineYearOf({ engine: 'vLLM 0.11.1' }), 2025)
  assert.equal(engineYearOf({ engine: 'vllm-0.5.4' }), 2024)
  assert.equal(engineYearOf({ time: '2026-01-02T00:00:00Z' }), 2026)
  assert.equal(engineYearOf({ engine: 'TensorRT-LLM' }), null)
})

test('a line is answered at three boundaries, and a wrong one is refused by name', () => {
  const answer = answerEstimateLine({
    model: 'gpt-4o',
    in_uncached: 300,
    out: 300,
    provider: 'azure'
  })
  assert.ok(answer.low_j < answer.mid_j && answer.mid_j < answer.high_j)
  assert.ok(answer.mid_j < answer.host.mid_j && answer.host.mid_j < answer.site.mid_j)
  assert.equal(answer.tier, 'E4')
  assert.match(answer.factors_version, /^energy-[0-9a-f]{8}$/)
  for (const wrong of [{}, { out: -1 }, { out: 'many' }, { out: 1, gpu: 7 }, null, []]) {
    assert.throws(
      () => answerEstimateLine(wrong),
      (error: unknown) => error instanceof Failure && error.code === 'E_USAGE'
    )
  }
})

test('a factor file that lacks a coefficient is refused', () => {
  assert.throws(
    () => parseFactors({ version: 'x' }),
    (error: unknown) => error instanceof Failure && error.code === 'E_FACTOR_TABLE'
  )
})
