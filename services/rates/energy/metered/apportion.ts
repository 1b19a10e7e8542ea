/**
 * Splits a whole number by weights into whole numbers that add up to it: everyone gets the floor of
 * the exact share, and what is left goes to the largest remainders, ties to the smaller key. The
 * order in which claims come in changes nothing.
 */
export type Claim = { key: string; weight: number }

export const apportion = (total: number, claims: readonly Claim[]): Map<string, number> => {
  const sorted = claims
    .filter(({ weight }) => weight > 0)
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
  const sum = sorted.reduce((all, { weight }) => all + weight, 0)
  const shares = sorted.map(({ key, weight }) => {
    const exact = total * (weight / sum)
    const floor = Math.floor(exact)
    return { key, floor, remainder: exact - floor }
  })
  let left = total - shares.reduce((all, { floor }) => all + floor, 0)
  const result = new Map(shares.map(({ key, floor }) => [key, floor]))
  const byRemainder = shares.toSorted((a, b) => b.remainder - a.remainder)
  for (let index = 0; left !== 0 && byRemainder.length > 0; index += 1) {
    const key = byRemainder[index % byRemainder.length]?.key ?? ''
    const step = Math.sign(left)
    result.set(key, (result.get(key) ?? 0) + step)
    left -= step
  }
  return result
}
