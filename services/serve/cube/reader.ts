import type { Lake } from '../../lake/lake.ts'
import type { Cube } from './cube.ts'

/** How often the lake is looked at when nobody asks: the next answer then finds little to read. */
const LOOK_MS = 5000
/** After a failure: the question that meets it tells it, here it is only tried again. */
const PAUSE_MS = 5000

type InTurn = <Value>(work: () => Promise<Value>) => Promise<Value>

export type Reader = { stop: () => Promise<void> }

/** Keeps the cube close to the lake, one part after the other, between the answers. */
export const startReader = (lake: Lake, cube: Cube, inTurn: InTurn): Reader => {
  let stopped = false
  let wake: () => void = () => undefined
  const wait = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms).unref()
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  const readOn = async (): Promise<boolean> => {
    if (stopped) return false
    await cube.follow(await lake.head())
    return cube.readOn()
  }
  const run = async (): Promise<void> => {
    while (!stopped) {
      const more = await inTurn(readOn).catch(() => null)
      if (more === true) continue
      await wait(more === null ? PAUSE_MS : LOOK_MS)
    }
  }
  const ended = run()
  return {
    stop: () => {
      stopped = true
      wake()
      return ended
    }
  }
}
