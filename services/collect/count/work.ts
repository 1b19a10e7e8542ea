/**
 * What counting a text costs, before it is done. Byte pairs are merged in the square of the length
 * of an unbroken run, so that 100,000 spaces in a row would hold a process for six seconds, and as
 * many Chinese characters without a break for a minute.
 */

/** Nanoseconds a byte outside of merging, and a square byte of a run; measured on one core. */
const NS_PER_BYTE = 30
const NS_PER_SQUARE = 3
/** Half a second of counting in one message, as long as one may hold the process at most. */
export const WORK_MAX = 500_000_000

const [LETTER, BLANK, SIGN, DIGIT] = [0, 1, 2, 3]
/** Class of each character of ASCII; digits go by threes. */
const ASCII = Uint8Array.from({ length: 128 }, (_, point) => {
  const one = String.fromCharCode(point)
  if (/[a-z]/i.test(one)) return LETTER
  if (/\s/.test(one)) return BLANK
  return /\d/.test(one) ? DIGIT : SIGN
})

/** Punctuation of all scripts in general, and of Chinese and Japanese; all else counts as letters. */
const classOf = (code: number): number => {
  if (code < ASCII.length) return ASCII[code] ?? SIGN
  const isSign = (code >= 0x2000 && code < 0x2070) || (code >= 0x3000 && code < 0x3040)
  return isSign || (code >= 0xff00 && code < 0xff21) ? SIGN : LETTER
}

/** Bytes that a UTF-16 unit has in UTF-8, roughly: what is not ASCII has two or three. */
const WIDE_BYTES = 3

/** Nanoseconds, about, that counting takes; more than `WORK_MAX` for what is too much to look at. */
export const workOf = (text: string): number => {
  if (text.length * NS_PER_BYTE > WORK_MAX) return Number.POSITIVE_INFINITY
  let [work, run, last] = [0, 0, DIGIT]
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    const now = classOf(code)
    const bytes = code < ASCII.length ? 1 : WIDE_BYTES
    if (now === last && now !== DIGIT) {
      run += bytes
      continue
    }
    work += costOf(run)
    run = bytes
    last = now
  }
  return work + costOf(run)
}

const costOf = (run: number): number => run * NS_PER_BYTE + run * run * NS_PER_SQUARE
