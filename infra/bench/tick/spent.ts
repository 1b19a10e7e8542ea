import { readFileSync } from 'node:fs'
import type { Engine } from '../../../services/lake/engine.ts'
import type { Signal } from '../../../services/signals/define.ts'
import type { LoadedSignal } from '../../../services/signals/load.ts'

/** What each signal's own code takes, apart from the database that reads for the next one meanwhile. */

export type Spent = Map<string, number>

const NS_PER_MS = 1e6
const MAIN_THREAD = `/proc/self/task/${process.pid}/schedstat`

/** CPU time of the main thread, ms; where the system does not tell, of the whole process. */
const threadMs = (): number => {
  try {
    return Number(readFileSync(MAIN_THREAD, 'latin1').split(' ')[0]) / NS_PER_MS
  } catch {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  }
}

const add = (spent: Spent, name: string, ms: number): void => {
  spent.set(name, (spent.get(name) ?? 0) + ms)
}

/** Milliseconds of folding and of saving go to the signal's name. */
export const timedSignal = (signal: LoadedSignal, spent: Spent): LoadedSignal => {
  const timed = <Value>(name: string, work: () => Value): Value => {
    const before = threadMs()
    const value = work()
    add(spent, name, threadMs() - before)
    return value
  }
  return {
    ...signal,
    open: (...args: Parameters<Signal['open']>) => {
      const { follow, fold, save } = signal.open(...args)
      return {
        ...(follow && {
          follow: (startMs, events) => timed(signal.id, () => follow(startMs, events))
        }),
        fold: (minute) => timed(signal.id, () => fold(minute)),
        save: () => timed('save', save)
      }
    }
  }
}

/** Statements on this engine go to what they name: a signal's own columns, a copy, the views. */
export const timedEngine = (engine: Engine, spent: Spent): void => {
  const ofProcess = (): number => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  }
  const timed = async <Value>(name: string, work: () => Promise<Value>): Promise<Value> => {
    const before = ofProcess()
    const value = await work()
    add(spent, name, ofProcess() - before)
    return value
  }
  const run = engine.run.bind(engine)
  engine.run = (sql) => timed(`run ${sql.trimStart().slice(0, 40)}`, () => run(sql))
  const whole = engine.whole.bind(engine)
  engine.whole = (sql) =>
    timed(`read ${/-- (.*)/.exec(sql)?.[1] ?? sql.slice(0, 40)}`, () => whole(sql))
}
