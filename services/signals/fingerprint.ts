/**
 * A stable identity from words: 64-bit FNV-1a as 16 hex digits. Signals are pure and import no
 * crypto; a collision would merge two incidents, one in 10¹³ for ten thousand open ones.
 */
export const fingerprint = (...words: readonly (string | number | null)[]): string => {
  const text = words.map((word) => (word === null ? '\u0000' : String(word))).join('\u001f')
  let high = 0xcbf29ce4
  let low = 0x84222325
  for (const character of Buffer.from(text, 'utf8')) {
    low = (low ^ character) >>> 0
    const product = low * 0x1b3
    const carry = Math.floor(product / 0x1_0000_0000)
    high = (Math.imul(high, 0x1b3) + carry + (low << 8)) >>> 0
    low = product >>> 0
  }
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0')
}
