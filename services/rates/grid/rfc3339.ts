const TIME =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:[Zz]|([+-])(\d\d):?(\d\d))$/
const MINUTE_MS = 60_000

/**
 * Milliseconds of an RFC 3339 time; null where it is none. `Date.parse` would read a time without an
 * offset by the clock of the machine, which jumps twice a year, and take 30 February for 2 March.
 */
export const parseRfc3339 = (text: string): number | null => {
  const found = TIME.exec(text)
  if (found === null) return null
  const at = (index: number): number => Number(found[index] ?? 0)
  const utc = Date.UTC(at(1), at(2) - 1, at(3), at(4), at(5), at(6))
  // Whatever is no date or no time of a day comes back as another one.
  const back = new Date(utc).toISOString().match(/\d+/g) ?? []
  if (back.slice(0, 6).some((part, index) => Number(part) !== at(index + 1))) return null
  if (at(9) > 23 || at(10) > 59) return null
  const offset = (found[8] === '-' ? -1 : 1) * (at(9) * 60 + at(10)) * MINUTE_MS
  return utc - offset + Math.round(1000 * Number(`0.${found[7] ?? 0}`))
}
