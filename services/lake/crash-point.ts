/**
 * Says to a storage implementation: "this much is done now". Tests end the process there, so
 * that recovery from a crash at every point can be shown.
 */
export type Step = (name: string) => void

/** Lets every step pass. */
export const noCrash: Step = () => undefined

/**
 * Calls `crash` at one step, given by its number from 1 or as `name#occurrence` (`put:synced#2`).
 * Once crashed, every later step crashes too: a dead process does no cleaning up.
 */
export const crashAt = (at: string | number, crash: (name: string) => never): Step => {
  const [wantedName, wantedTimes = '1'] = typeof at === 'string' ? at.split('#') : [null]
  const wanted = typeof at === 'number' ? at : Number(wantedTimes)
  let seen = 0
  let dead = false
  return (name) => {
    if (!dead && (wantedName === null || wantedName === name)) dead = ++seen === wanted
    if (dead) crash(name)
  }
}

/** Kills this process at a step, as a power cut would: no handler runs, nothing is flushed. */
export const dieAt = (at: string | number): Step =>
  crashAt(at, () => {
    process.kill(process.pid, 'SIGKILL')
    // The signal may take a moment to arrive; nothing may happen until then.
    for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  })
