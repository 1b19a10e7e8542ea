/**
 * Text of ASCII in the pieces that the encoding `o200k_base` merges bytes within, one by one and
 * without its regular expression, whose matches cost more than all the rest of counting. Other text
 * is left to the tokenizer: its classes of letters are Unicode's.
 */

const [LOWER, UPPER, DIGIT, SPACE, BLANK, BREAK, SIGN, END] = [0, 1, 2, 3, 4, 5, 6, 7]
const ASCII = Uint8Array.from({ length: 128 }, (_, point) => {
  const one = String.fromCharCode(point)
  if (/[a-z]/.test(one)) return LOWER
  if (/[A-Z]/.test(one)) return UPPER
  if (/\d/.test(one)) return DIGIT
  if (one === ' ') return SPACE
  if (/[\r\n]/.test(one)) return BREAK
  return /\s/.test(one) ? BLANK : SIGN
})

const NOT_ASCII = /[^\0-\x7f]/
const SLASH = '/'.charCodeAt(0)
const APOSTROPHE = "'".charCodeAt(0)
/** The encoding takes digits by threes. */
const DIGITS_MAX = 3
/** English's contractions belong to the word before them: one letter, or two. */
const CONTRACTION = /^(?:[sdmt]|ll|ve|re)/i

export const isAscii = (text: string): boolean => !NOT_ASCII.test(text)

/** Index behind the piece of ASCII text that starts at `at`. */
export const endOfPiece = (text: string, at: number): number => {
  const first = classAt(text, at)
  if (first <= UPPER) return endOfWord(text, at)
  if (first === DIGIT) return Math.min(endOfRun(text, at, DIGIT), at + DIGITS_MAX)
  // One character that is no digit and breaks no line goes with the word after it.
  if (first !== BREAK && classAt(text, at + 1) <= UPPER) return endOfWord(text, at + 1)
  const signs = first === SPACE ? at + 1 : at
  return classAt(text, signs) === SIGN ? endOfSigns(text, signs) : endOfBlanks(text, at)
}

const classAt = (text: string, at: number): number =>
  at < text.length ? ASCII[text.charCodeAt(at)]! : END

const endOfRun = (text: string, from: number, kind: number): number => {
  let at = from
  while (classAt(text, at) === kind) at++
  return at
}

const endOfWord = (text: string, from: number): number => {
  const end = endOfRun(text, endOfRun(text, from, UPPER), LOWER)
  if (text.charCodeAt(end) !== APOSTROPHE) return end
  const [ending] = CONTRACTION.exec(text.slice(end + 1, end + 3)) ?? []
  return ending === undefined ? end : end + 1 + ending.length
}

/** Signs, with the line breaks and slashes behind them. */
const endOfSigns = (text: string, from: number): number => {
  let at = endOfRun(text, from, SIGN)
  while (classAt(text, at) === BREAK || text.charCodeAt(at) === SLASH) at++
  return at
}

/** Blanks up to their last line break; without one, all but the last, which the next piece takes. */
const endOfBlanks = (text: string, from: number): number => {
  let at = from
  let behindBreak = 0
  for (let kind = classAt(text, at); isBlank(kind); kind = classAt(text, ++at)) {
    if (kind === BREAK) behindBreak = at + 1
  }
  if (behindBreak > 0) return behindBreak
  return at === text.length || at - from === 1 ? at : at - 1
}

const isBlank = (kind: number): boolean => kind >= SPACE && kind <= BREAK
