import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resolveDeployment, type DeploymentRequest } from '../deployment.ts'
import { FACTORS, type EnergyFactors } from '../factors.ts'
import {
  fixedSeconds,
  inputSeconds,
  marginalSeconds,
  rooflineTerms,
  type Deployment
} from '../roofline.ts'
import { attributeEnergy } from './attribute.ts'
import { energyCurve } from './energy-curve.ts'
import { phaseWeights } from './phase-weights.ts'
import type { ServedRequest } from './served-request.ts'

/**
 * Hosts played step by step with other coefficients than the split uses, other models, loads and
 * seeds: what each request truly drew is known, and the split sees the noisy meter alone.
 */

/** A small generator with a fixed seed (Park and Miller). */
const generator = (seed: number) => {
  let state = seed
  return (): number => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
}

type Kind = { tenant: string; input: number; cachedShare: number; out: number }

const KINDS: readonly Kind[] = [
  { tenant: 'chat', input: 600, cachedShare: 0.3, out: 350 },
  { tenant: 'rag', input: 7000, cachedShare: 0.05, out: 180 },
  { tenant: 'agent', input: 14_000, cachedShare: 0.9, out: 220 },
  { tenant: 'reasoning', input: 400, cachedShare: 0, out: 1600 }
]

type Scene = {
  deployment: DeploymentRequest
  callsPerSecond: number
  seconds: number
  seed: number
}

/** Truth: the roofline with coefficients that are wrong by −30 to +25 %. */
const truthOf = (random: () => number): EnergyFactors => {
  const wrong = (value: number): number => value * (0.7 + 0.55 * random())
  const { energy } = FACTORS
  return {
    ...FACTORS,
    energy: {
      ...energy,
      memory: wrong(energy.memory),
      expertMemory: wrong(energy.expertMemory),
      arithmetic: wrong(energy.arithmetic),
      keyValue: wrong(energy.keyValue),
      stepMicros: wrong(energy.stepMicros),
      tokenMicros: wrong(energy.tokenMicros),
      prefill: wrong(energy.prefill)
    }
  }
}

type Playing = ServedRequest & { joules: number; prefilled: number; emitted: number }

const TICK_MS = 50
const IDLE_WATTS = 260
const PREFILL_TOKENS_PER_S = 12_000
const STEP_SECONDS = 0.03

const draw = ({ callsPerSecond, seconds }: Scene, random: () => number): Playing[] => {
  const spread = (): number => Math.exp(0.9 * (random() + random() + random() - 1.5))
  return Array.from({ length: Math.round(callsPerSecond * seconds) }, (_, index) => {
    const kind = KINDS[Math.floor(random() * KINDS.length)]!
    const input = Math.ceil(kind.input * spread())
    const cached = Math.floor(input * kind.cachedShare * (random() < 0.8 ? 1 : 0))
    return {
      id: String(index),
      tenant: kind.tenant,
      startMs: Math.floor(random() * seconds * 1000),
      firstTokenMs: -1,
      endMs: -1,
      uncached: input - cached,
      cached,
      out: Math.ceil(kind.out * spread()),
      joules: 0,
      prefilled: 0,
      emitted: 0
    }
  })
}

const play = (scene: Scene) => {
  const random = generator(scene.seed)
  const factors = truthOf(random)
  const { deployment } = resolveDeployment(scene.deployment, FACTORS)
  const requests = draw(scene, random)
  const meter: number[] = []
  for (let timeMs = 0; requests.some(({ endMs }) => endMs < 0); timeMs += TICK_MS) {
    const running = requests.filter(({ startMs, endMs }) => startMs <= timeMs && endMs < 0)
    const joules = tick(running, deployment, { factors, timeMs })
    const second = Math.floor(timeMs / 1000)
    meter[second] = (meter[second] ?? 0) + joules + (IDLE_WATTS * TICK_MS) / 1000
  }
  // A meter errs by a few percent from second to second.
  const counter = meter.map((value) => value * (0.95 + 0.1 * random()))
  return { requests, counter, deployment }
}

/** One stretch of the engine: prompts are computed side by side, then tokens come step by step. */
const tick = (
  running: readonly Playing[],
  deployment: Deployment,
  { factors, timeMs }: { factors: EnergyFactors; timeMs: number }
): number => {
  const terms = rooflineTerms(deployment, factors.energy)
  const watts = deployment.gpu.powerWattsMax
  const filling = running.filter(({ firstTokenMs }) => firstTokenMs < 0)
  const decoding = running.filter(({ firstTokenMs }) => firstTokenMs >= 0)
  let drawn = 0
  const charge = (request: Playing, joules: number): void => {
    request.joules += joules
    drawn += joules
  }
  for (const request of filling) {
    const input = request.uncached + request.cached
    // A cached token is loaded at a twentieth of what computing it costs; the split says a tenth.
    const effort = request.uncached + 0.05 * request.cached
    const step = Math.min(
      (PREFILL_TOKENS_PER_S * TICK_MS) / 1000 / filling.length,
      effort - request.prefilled
    )
    request.prefilled += step
    charge(request, watts * inputSeconds(terms, input) * step)
    if (request.prefilled >= effort - 1e-9) request.firstTokenMs = timeMs + TICK_MS
  }
  const batch = decoding.length
  for (const request of decoding) {
    const tokens = Math.min(TICK_MS / 1000 / STEP_SECONDS, request.out - request.emitted)
    const context = request.uncached + request.cached + request.emitted
    charge(
      request,
      watts * tokens * (fixedSeconds(terms, batch) / batch + marginalSeconds(terms, context))
    )
    request.emitted += tokens
    if (request.emitted >= request.out - 1e-9) request.endMs = timeMs + TICK_MS
  }
  return drawn
}

const LLAMA_70B = { model: 'llama-3.1-70b', gpu: 'H100', gpuCount: 4, precision: 'bf16' }
const SCENES: readonly (Scene & { name: string })[] = [
  { name: '70B, quiet', deployment: LLAMA_70B, callsPerSecond: 0.4, seconds: 300, seed: 3 },
  { name: '70B, busy', deployment: LLAMA_70B, callsPerSecond: 4, seconds: 120, seed: 5 },
  {
    name: '8B on one A100',
    deployment: { model: 'llama-3.1-8b', gpu: 'A100', gpuCount: 1, precision: 'bf16' },
    callsPerSecond: 2,
    seconds: 150,
    seed: 7
  },
  {
    name: 'a mixture of experts on eight B200',
    deployment: { model: 'qwen3-235b-a22b', gpu: 'B200', gpuCount: 8, precision: 'fp8' },
    callsPerSecond: 2,
    seconds: 150,
    seed: 11
  }
]

for (const { name, ...scene } of SCENES) {
  test(`what requests of a host drew is found within bounds: ${name}`, (t) => {
    const { requests, counter, deployment } = play(scene)
    let value = 0
    const readings = [0, ...counter].map((joules, second) => ({
      host: 'h',
      gpu: 'g',
      gpuModel: null,
      timeMs: second * 1000,
      kind: 'energy' as const,
      unit: 'J' as const,
      value: (value += joules)
    }))
    const result = attributeEnergy({
      curves: [energyCurve(readings)],
      requests,
      weights: phaseWeights(deployment),
      idleWattsPerGpu: IDLE_WATTS
    })
    const truth = new Map(requests.map((request) => [request.id, request]))
    const errors = result.requests
      .map(({ id, activeMicrojoules }) =>
        Math.abs(activeMicrojoules / 1e6 / truth.get(id)!.joules - 1)
      )
      .sort((a, b) => a - b)
    const median = errors[Math.floor(errors.length / 2)]!
    const biases = KINDS.map(({ tenant }) => {
      const own = result.requests.filter((request) => request.tenant === tenant)
      const given = own.reduce((sum, { activeMicrojoules }) => sum + activeMicrojoules / 1e6, 0)
      return { tenant, bias: given / own.reduce((sum, { id }) => sum + truth.get(id)!.joules, 0) }
    })
    const told = biases.map(({ tenant, bias }) => `${tenant} ×${bias.toFixed(2)}`).join(', ')
    t.diagnostic(`median error ${(median * 100).toFixed(1)} %; ${told}`)
    const { lines } = result
    const parts =
      lines.activeMicrojoules +
      lines.idleServingMicrojoules +
      lines.idleUnallocatedMicrojoules +
      lines.unattributedMicrojoules
    assert.equal(parts, lines.meterMicrojoules)
    assert.ok(median <= 0.2, `median error ${median}`)
    for (const { tenant, bias } of biases) {
      assert.ok(bias >= 0.75 && bias <= 1.25, `${tenant} is charged ${bias} of what it drew`)
    }
  })
}
