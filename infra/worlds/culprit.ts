import { createRandom, type Random } from './random.ts'

/**
 * Twenty tenants share one prefix cache; at a known minute one of them changes the shape of its
 * prompts, and the others lose. The truth is known: the same arrivals are replayed without it.
 */

export const BLOCK_TOKENS = 512
/** Rungs of the hash ladder in blocks: 1k, 2k … 32k tokens. */
export const LADDER = [2, 4, 8, 16, 32, 64] as const
export const TENANTS = 20
/** Minutes: warm-up, change, observed after it. */
export const WARM_MINUTES = 20
export const CHANGE_MINUTE = 50
export const AFTER_MINUTES = 20

export const SHIFTS = ['uuid_head', 'rag_before_history', 'rate_x5', 'long_agent_context'] as const
export type Shift = (typeof SHIFTS)[number]

export type CulpritWorld = {
  seed: number
  shift: Shift
  /** Tenants that shift; empty on a night without a culprit. */
  culprits: readonly number[]
  /** Tenant that innocently grows 2.5-fold at the same minute; null = none. */
  surge: number | null
  /** Everybody's traffic grows by this factor from the change to the end: a morning. */
  ramp: number
}

/** One call: seconds, tenant and the blocks of its prompt. */
export type Call = { second: number; tenant: number; chain: number[] }

type Habits = {
  ratePerMinute: number
  blocks: number
  multiTurn: number
  cycles: boolean
  templates: number
}

const CHANGE_SECOND = CHANGE_MINUTE * 60
const END_SECOND = (CHANGE_MINUTE + AFTER_MINUTES) * 60
const SURGE = 2.5
const RATE_SHIFT = 5

/** Draws habits, a culprit (not of the lightest quarter) and, half the time, a surging tenant. */
export const drawWorld = (seed: number, shift: Shift, culprits = 1): CulpritWorld => {
  const random = createRandom(seed)
  const habits = drawHabits(random)
  const order = [...habits.keys()].sort((a, b) => weight(habits[a]!) - weight(habits[b]!))
  const heavy = order.slice(TENANTS / 4)
  const chosen: number[] = []
  while (chosen.length < culprits) {
    const tenant = heavy[random.integer(0, heavy.length)]!
    if (!chosen.includes(tenant)) chosen.push(tenant)
  }
  const others = order.filter((tenant) => !chosen.includes(tenant)).sort((a, b) => a - b)
  const surge = random.uniform() < 0.5 ? others[random.integer(0, others.length)]! : null
  return { seed, shift, culprits: chosen, surge, ramp: 1 }
}

const weight = ({ ratePerMinute, blocks }: Habits): number => ratePerMinute * blocks
const clip = (value: number, low: number, high: number): number =>
  Math.min(high, Math.max(low, value))

const drawHabits = (random: Random): Habits[] =>
  Array.from({ length: TENANTS }, () => {
    const ratePerMinute = clip(Math.exp(Math.log(6) + random.normal()), 0.7, 50)
    const cycles = random.uniform() < 0.6
    return {
      ratePerMinute,
      blocks: Math.floor(clip(Math.exp(Math.log(10) + 0.6 * random.normal()), 3, 40)),
      multiTurn: random.uniform() * 0.8,
      cycles,
      templates: cycles
        ? Math.floor(Math.max(2, (ratePerMinute * (50 + 60 * random.uniform())) / 60))
        : random.integer(4, 40)
    }
  })

/** All calls in order of time, with the shift or without it. */
export const calls = (world: CulpritWorld, shifted: boolean): Call[] => {
  const habits = drawHabits(createRandom(world.seed))
  let next = 10_000_000
  const fresh = (count: number): number[] => Array.from({ length: count }, () => next++)
  const all: Call[] = []
  for (const [tenant, habit] of habits.entries()) {
    const random = createRandom(world.seed * 1009 + tenant + 1)
    const shift = shifted && world.culprits.includes(tenant) ? world.shift : null
    all.push(...tenantCalls({ world, tenant, habit, random, shift, fresh }))
  }
  return all.sort((a, b) => a.second - b.second)
}

type Sender = {
  world: CulpritWorld
  tenant: number
  habit: Habits
  random: Random
  shift: Shift | null
  fresh: (count: number) => number[]
}

function* tenantCalls(sender: Sender): Generator<Call> {
  const { habit, random } = sender
  let count = 0
  for (let second = 0; ;) {
    second += random.exponential(1 / ratePerSecond(sender, second))
    if (second >= END_SECOND) return
    count += 1
    const template = habit.cycles ? count % habit.templates : skewed(random, habit.templates)
    yield* conversation(sender, second, templateBlocks(sender.tenant, template, habit.blocks))
  }
}

const ratePerSecond = ({ world, tenant, habit, shift }: Sender, second: number): number => {
  let rate = habit.ratePerMinute / 60 / (habit.cycles ? 1 : 1 + 2 * habit.multiTurn)
  if (second < CHANGE_SECOND) return rate
  if (tenant === world.surge) rate *= SURGE
  if (shift === 'rate_x5') rate *= RATE_SHIFT
  return rate * (1 + ((world.ramp - 1) * (second - CHANGE_SECOND)) / (END_SECOND - CHANGE_SECOND))
}

const skewed = (random: Random, templates: number): number =>
  Math.floor(Math.min(templates - 1, templates ** random.uniform() - 1 + 1e-9))

const templateBlocks = (tenant: number, template: number, blocks: number): number[] =>
  Array.from({ length: blocks }, (_, block) => tenant * 100_000 + template * 1000 + block)

function* conversation(sender: Sender, start: number, template: number[]): Generator<Call> {
  const { habit, random, tenant, fresh } = sender
  const longer = !habit.cycles && random.uniform() < habit.multiTurn
  const turns = 1 + (longer ? random.geometric(0.3) : 0)
  let history: number[] = []
  let second = start
  for (let turn = 0; turn < turns; turn++) {
    const question = fresh(random.integer(1, 4))
    const shift = second >= CHANGE_SECOND ? sender.shift : null
    if (shift === 'long_agent_context' && history.length === 0) history = fresh(40)
    const chain = shape(shift, template, [history, question], fresh)
    if (second < END_SECOND) yield { second, tenant, chain }
    history = [...history, ...question, ...fresh(1)]
    second += 5 + random.exponential(90)
  }
}

const shape = (
  shift: Shift | null,
  template: number[],
  [history, question]: [number[], number[]],
  fresh: (count: number) => number[]
): number[] => {
  if (shift === 'uuid_head') return fresh(template.length + history.length + question.length)
  if (shift !== 'rag_before_history') return [...template, ...history, ...question]
  return [...template, ...fresh(12), ...fresh(history.length), ...question]
}
