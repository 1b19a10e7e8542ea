import { gapIn } from './token-gap.ts'
import { groupBy, type Group, type Working } from './working.ts'

/** A difference of tokens that nobody prices is worth nothing in dollars, and is told as tokens. */
export const unpricedRemarks = (groups: readonly Group[]): string[] =>
  groups.flatMap(({ model, workings }) => {
    const unpriced = workings.filter(({ price }) => price === null)
    const parts = [...groupBy(unpriced, ({ cell }) => cell.meter)].flatMap(([meter, peers]) =>
      peers.some((working) => gapIn(working) !== 0) ? [`${meter} ${told(peers)}`] : []
    )
    if (parts.length === 0) return []
    return [`${model} has no price, and its tokens differ: ${parts.join(', ')}`]
  })

const told = (workings: readonly Working[]): string => {
  const billed = workings.reduce((sum, working) => sum + (working.billed ?? 0), 0)
  const recorded = workings.reduce((sum, { tokens }) => sum + tokens, 0)
  return `${Math.round(billed)} on the bill, ${Math.round(recorded)} recorded`
}
