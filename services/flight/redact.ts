/** Replaces what nobody should find in a recording, however deep it lies. */

/** Names of fields whose values are secrets. */
const SECRET_FIELD =
  /^(authorization|proxy-authorization|cookie|set-cookie|x-api-key|api[_-]?key|password|passwd|secret|client_secret|access_token|refresh_token)$/i

const ALWAYS: readonly (readonly [string, RegExp])[] = [
  ['secret', /\b(?:sk|pk|rk|ghp|gho|xox[abp]|AKIA|AIza)[-_A-Za-z0-9]{16,}/gu],
  ['secret', /\bBearer\s+[-._~+/A-Za-z0-9]{16,}=*/gu],
  // Only where a word begins: else each letter of a long one is a new place to look from.
  ['email', /(?<![\p{L}\d._%+-])[\p{L}\d._%+-]+@[\p{L}\d-]+(?:\.[\p{L}\d-]+)+/gu],
  ['card', /\b(?:\d[ -]?){13,19}\b/gu]
]

/** Deeper values are written as text that says so. */
const DEPTH_MAX = 64

export type Redact = (content: unknown) => unknown

/** `own` maps names to regular expressions that a tenant adds. */
export const createRedact = (own: Readonly<Record<string, string>>): Redact => {
  const patterns = [
    ...ALWAYS,
    ...Object.entries(own).map(([name, text]) => [name, new RegExp(text, 'gu')] as const)
  ]
  const clean = (text: string): string =>
    patterns.reduce(
      (done, [name, pattern]) =>
        done.replace(pattern, (found) => (name === 'card' && !isCard(found) ? found : `[${name}]`)),
      text
    )
  const walk = (value: unknown, depth: number): unknown => {
    if (typeof value === 'string') return clean(value)
    if (typeof value !== 'object' || value === null) return value
    if (depth > DEPTH_MAX) return '[too deep]'
    if (Array.isArray(value)) return value.map((item) => walk(item, depth + 1))
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [
        name,
        SECRET_FIELD.test(name) ? '[secret]' : walk(item, depth + 1)
      ])
    )
  }
  return (content) => walk(content, 0)
}

/** Card numbers end in a check digit (Luhn); other long numbers mostly do not. */
const isCard = (text: string): boolean => {
  const digits = text.replaceAll(/\D/gu, '')
  const sum = digits.split('').reduceRight((total, digit, index) => {
    const isSecond = (digits.length - 1 - index) % 2 === 1
    const value = Number(digit) * (isSecond ? 2 : 1)
    return total + (value > 9 ? value - 9 : value)
  }, 0)
  return digits.length >= 13 && sum % 10 === 0
}
