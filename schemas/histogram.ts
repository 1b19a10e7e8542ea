/**
 * Mergeable logarithmic histograms: bin k covers (γ^(k−1), γ^k] with γ = 1.02, so that any
 * quantile has a relative error of at most (γ−1)/(γ+1) < 1 %. Value 0 has bin ZERO_BIN. A
 * histogram is a map bin → count; merging is adding. Same idea as DDSketch (Masson et al. 2019).
 */
const GAMMA = 1.02
/** Holds exact zeros, below every bin that a positive integer can reach. */
const ZERO_BIN = -1

/** SQL for the bin of a non-negative integer column; null stays null. */
export const binSql = (column: string): string =>
  `CASE WHEN ${column} = 0 THEN ${ZERO_BIN} ELSE ceil(ln(${column}) / ln(${GAMMA}))::SMALLINT END`

/** SQL for the value that stands for a bin: its relative error to any value of the bin is least. */
export const binValueSql = (bin: string): string =>
  `CASE WHEN ${bin} = ${ZERO_BIN} THEN 0 ELSE ${2 / (1 + GAMMA)} * pow(${GAMMA}, ${bin}) END`

/** The same for a bin that is at hand. */
export const binValue = (bin: number): number =>
  bin === ZERO_BIN ? 0 : (2 / (1 + GAMMA)) * GAMMA ** bin
