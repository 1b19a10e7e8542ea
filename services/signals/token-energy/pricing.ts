import type { DeploymentFigures } from '../../rates/energy/deployment-figures.ts'
import { EstimateBlock, type Doubles } from '../../rates/energy/estimate-block.ts'
import { figuresOf, type Batch, type Deployment, type Work } from './profile.ts'

/** Room for what one tenant asks for in a minute; it doubles when full. */
const ROOM_START = 64

const columns = (room: number) => {
  const column = (): Doubles => new Float64Array(room)
  return {
    deployment: column(),
    uncached: column(),
    cached: column(),
    out: column(),
    concurrency: column(),
    interTokenMs: column()
  }
}

/**
 * Estimated joules of typical calls, asked for together: there are two hundred thousand in a large
 * minute, and one by one they were most of what its fold took.
 */
export class Pricing {
  readonly #codes = new Map<Deployment, number>()
  readonly #figures: DeploymentFigures[] = []
  #calls = columns(ROOM_START)
  #block = new EstimateBlock(ROOM_START)
  #size = 0

  clear(): void {
    this.#size = 0
  }

  /** @returns where the joules of one such call will stand. */
  ask(deployment: Deployment, batch: Batch, work: Work): number {
    const at = this.#size
    if (at === this.#calls.out.length) this.#grow()
    const calls = this.#calls
    calls.deployment[at] = this.#codeOf(deployment)
    calls.uncached[at] = work.input * (1 - work.cachedShare)
    calls.cached[at] = work.input * work.cachedShare
    calls.out[at] = work.out
    calls.concurrency[at] = batch.concurrency ?? Number.NaN
    calls.interTokenMs[at] = batch.interTokenMs ?? Number.NaN
    this.#size = at + 1
    return at
  }

  /** Estimates all that was asked for since it was cleared. */
  estimate(): void {
    this.#block.estimate({ deployments: this.#figures, ...this.#calls }, 0, this.#size)
  }

  joules(at: number): number {
    const { prefill, cached, decode } = this.#block
    return prefill[at]! + cached[at]! + decode[at]!
  }

  #codeOf(deployment: Deployment): number {
    const known = this.#codes.get(deployment)
    if (known !== undefined) return known
    const code = this.#figures.push(figuresOf(deployment)) - 1
    this.#codes.set(deployment, code)
    return code
  }

  #grow(): void {
    const { length } = this.#calls.out
    const larger = columns(2 * length)
    for (const [name, column] of Object.entries(this.#calls)) {
      larger[name as keyof typeof larger].set(column)
    }
    this.#calls = larger
    this.#block = new EstimateBlock(2 * length)
  }
}
