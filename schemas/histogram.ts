/**
 * Mergeable logarithmic histograms: bin k covers (γ^(k−1), γ^k] with γ = 1.02, so that any
 * quantile has a relative error of at most (γ−1)/(γ+1) < 1 %. Value 0 has bin ZERO_BIN. A
 * histogram is a map bin → count; merging is adding. Same idea as DDSketch (Masson et al. 2019).
 */
export const GAMMA = 1.02
/** Holds exact zeros, below every bin that a positive integer can reach. */
export const ZERO_BIN = -1

/** SQL for the bin of a non-negative integer column; null stays null. */
export const binSql = (column: string): string =>
  `CASE WHEN ${column} = 0 THEN ${ZERO_BIN} ELSE ceil(ln(${column}) / ln(${GAMMA}))::SMALLINT END`

/** Bin of a non-negative number. */
export const bin = (value: number): number =>
  value === 0 ? ZERO_BIN : Math.ceil(Math.log(value) / Math.log(GAMMA))

/** The value that stands for a bin: at most 1 % off from anything in it. */
export const binValue = (index: number): number =>
  index === ZERO_BIN ? 0 : (2 * GAMMA ** index) / (GAMMA + 1)
