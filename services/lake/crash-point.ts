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
