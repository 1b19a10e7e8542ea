/**
 * Bets on the share of votes, each yes or no. If yes comes with probability at most p₀ whatever came
 * before, the product of the bets is an e-process: it ever reaches e^x with probability e^−x. Summed
 * from zero again whenever it falls below, it is an e-detector: e^x votes until a false alarm.
 */

/** Alternatives are mixed by their mean, so the loudest counts less the logarithm of their number. */
export const mixNats = (nats: ArrayLike<number>): number => {
  const strongest = Math.max(...Array.from(nats))
  const sum = Array.from(nats).reduce((total, one) => total + Math.exp(one - strongest), 0)
  return strongest + Math.log(sum / nats.length)
}

/** Nats that `yes` and `no` votes add to a bet on `alternative` against at most `p0`. */
export const voteNats = (
  { yes, no }: { yes: number; no: number },
  p0: number,
  alternative: number
): number => yes * Math.log(alternative / p0) + no * Math.log((1 - alternative) / (1 - p0))
