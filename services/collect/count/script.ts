/**
 * Dominant script of a text by the Unicode ranges of its letters, as ISO 15924: Japanese and Korean
 * are told from Chinese by their own letters, program text by its punctuation.
 */

/** First and last code point of each script's blocks, and its name. */
const RANGES: readonly (readonly [number, number, string])[] = [
  [0x80, 0x24f, 'Latn'],
  [0x370, 0x3ff, 'Grek'],
  [0x400, 0x52f, 'Cyrl'],
  [0x530, 0x58f, 'Armn'],
  [0x590, 0x5ff, 'Hebr'],
  [0x600, 0x6ff, 'Arab'],
  [0x750, 0x77f, 'Arab'],
  [0x900, 0x97f, 'Deva'],
  [0x980, 0x9ff, 'Beng'],
  [0xa00, 0xa7f, 'Guru'],
  [0xa80, 0xaff, 'Gujr'],
  [0xb80, 0xbff, 'Taml'],
  [0xc00, 0xc7f, 'Telu'],
  [0xc80, 0xcff, 'Knda'],
  [0xd00, 0xd7f, 'Mlym'],
  [0xd80, 0xdff, 'Sinh'],
  [0xe00, 0xe7f, 'Thai'],
  [0xe80, 0xeff, 'Laoo'],
  [0xf00, 0xfff, 'Tibt'],
  [0x1000, 0x109f, 'Mymr'],
  [0x10a0, 0x10ff, 'Geor'],
  [0x1100, 0x11ff, 'Kore'],
  [0x1200, 0x137f, 'Ethi'],
  [0x1780, 0x17ff, 'Khmr'],
  [0x1e00, 0x1eff, 'Latn'],
  [0x3040, 0x30ff, 'Jpan'],
  [0x3130, 0x318f, 'Kore'],
  [0x3400, 0x9fff, 'Hani'],
  [0xac00, 0xd7af, 'Kore'],
  [0xf900, 0xfaff, 'Hani'],
  [0x20000, 0x3ffff, 'Hani']
]

/** Enough letters to tell; the rest of a long text is not looked at. */
const CHARACTERS_MAX = 4096
/** Kana are a third of Japanese text or more; a name in kana does not make a text Japanese. */
const KANA_SHARE_MIN = 0.1
/** Prose of 24 languages stays below this share, program text lies above it (`count.test.ts`). */
const CODE_SHARE_MIN = 0.04
/** What each character of ASCII is, since most text is made of them; one bit each. */
const [LETTER, SIGN] = [1, 2]
const ASCII = Uint8Array.from({ length: 128 }, (_, point) => {
  const one = String.fromCharCode(point)
  if (/[A-Za-z]/.test(one)) return LETTER
  return '{}[]()<>=;_/*&|$#\\'.includes(one) ? SIGN : 0
})

/** @returns the script, `Code` for program text, or null for a text without letters. */
export const dominantScript = (text: string): string | null => {
  const counts = new Map<string, number>()
  let [at, seen, letters, signs] = [0, 0, 0, 0]
  for (; at < text.length && seen < CHARACTERS_MAX; seen++) {
    const code = text.charCodeAt(at++)
    if (code < ASCII.length) {
      const kind = ASCII[code]!
      letters += kind & LETTER
      signs += kind & SIGN
      continue
    }
    const point = text.codePointAt(at - 1) ?? 0
    if (point > 0xffff) at++
    addTo(counts, scriptAt(point), 1)
  }
  addTo(counts, 'Latn', letters)
  const isCode = signs / SIGN / seen >= CODE_SHARE_MIN
  return counts.size > 0 && isCode ? 'Code' : mostOf(counts)
}

const addTo = (counts: Map<string, number>, script: string | null, count: number): void => {
  if (script !== null && count > 0) counts.set(script, (counts.get(script) ?? 0) + count)
}

const mostOf = (counts: ReadonlyMap<string, number>): string | null => {
  const [first] = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
  if (first?.[0] !== 'Hani') return first?.[0] ?? null
  const [kana, han] = [counts.get('Jpan') ?? 0, first[1]]
  return kana / (kana + han) >= KANA_SHARE_MIN ? 'Jpan' : 'Hani'
}

const scriptAt = (point: number): string | null => {
  let [low, high] = [0, RANGES.length - 1]
  while (low <= high) {
    const middle = (low + high) >> 1
    const [from, to, script] = RANGES[middle]!
    if (point < from) high = middle - 1
    else if (point > to) low = middle + 1
    else return script
  }
  return null
}
