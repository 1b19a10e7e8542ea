import type { CellGrid } from './cells.ts'
import { exactFactor, impliedByDivision, impliedByMeter } from './implied-price.ts'
import { impliedByRatio } from './ratio-price.ts'
import { classOf, groupBy, valueOf, type Group } from './working.ts'

/** Tokens and money of every cell of a bill: what it does not state is worked out from what it does. */

/** Some amounts look rounder than the bill rounds; its finest line tells its precision. */
export const evenRounding = (grid: CellGrid): void => {
  const billed = [...grid.cells.values()].filter(({ roundingPico }) => roundingPico > 0n)
  const finest = billed.reduce<bigint | null>(
    (least, { roundingPico }) => (least === null || roundingPico < least ? roundingPico : least),
    null
  )
  for (const cell of billed) cell.roundingPico = finest ?? 0n
}

/** States tokens and money of the bill for every cell, working out the one that it leaves out. */
export const stateBill = (group: Group): void => {
  const hasMoney = group.workings.some(({ cell }) => cell.billedPico !== null)
  if (!hasMoney) return stateMoney(group)
  spreadTotals(group)
  // What the bill charges nothing for counts as well: its calls may stand in another tier.
  const open = group.workings.filter(({ cell }) => cell.billedTokens === null)
  // Tiers and times to live exchange tokens: their prices are judged together, then apart.
  const classes = [...groupBy(open, ({ cell }) => classOf(cell.meter)).values()]
  const shared = new Set(classes.flatMap((kin) => exactFactor(kin) ?? []))
  const coarse = classes.flatMap((kin) =>
    impliedByDivision(kin, shared) ? [] : impliedByMeter(kin, shared)
  )
  if (coarse.length > 0) impliedByRatio(coarse)
  for (const working of group.workings) working.billed ??= 0
}

/** A usage report has no money: its tokens are worth what they are worth to us. */
const stateMoney = (group: Group): void => {
  for (const working of group.workings) {
    working.billed ??= 0
    working.cell.billedPico = valueOf(working.price, working.billed)
  }
}

/** Money told only per model and day is spread over its tokens by their value to us. */
const spreadTotals = (group: Group): void => {
  for (const [, workings] of groupBy(group.workings, ({ cell }) => cell.bucket)) {
    const total = workings.find(({ cell }) => cell.meter === 'all')
    const told = workings.filter(
      ({ cell }) => cell.billedTokens !== null && cell.billedPico === null
    )
    if (total === undefined || told.length === 0) continue
    const values = told.map(({ price, billed }) => valueOf(price, billed ?? 0))
    const sum = values.reduce((left, right) => left + right, 0n)
    let left = total.cell.billedPico ?? 0n
    const amount = left
    told.forEach((working, index) => {
      const isLast = index === told.length - 1
      const share = isLast || sum === 0n ? left : (amount * (values[index] ?? 0n)) / sum
      working.cell.billedPico = share
      working.cell.roundingPico = total.cell.roundingPico
      left -= share
    })
    total.cell.billedPico = left
    total.billed = 0
  }
}
