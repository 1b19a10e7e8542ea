import type { Finding } from '../../schemas/finding.ts'

const STRANGER = 'another tenant'

/**
 * A finding about one tenant may name others: who pushed it out of a cache, who suffers too. Here
 * names of others are taken out of it, wherever they stand; who else suffers is left out.
 */
export const withoutNames = (finding: Finding, others: readonly string[]): Finding => {
  if (others.length === 0) return finding
  const names = new Set(others)
  const isOwn = (figures: Readonly<Record<string, unknown>>): boolean =>
    !Object.values(figures).some((value) => typeof value === 'string' && names.has(value))
  const own = {
    ...finding,
    victims: finding.victims.filter(isOwn),
    contributors: finding.contributors.filter(isOwn)
  }
  const { tenant, fingerprint, signal } = finding
  return { ...(anonymous(own, others) as Finding), tenant, fingerprint, signal }
}

/** Tenants but one that a value names as such, at any depth: whoever else is known or not. */
export const tenantsIn = (value: unknown, own: string): string[] => {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, one]: [string, unknown]) =>
    key === 'tenant' && typeof one === 'string' && one !== own ? [one] : tenantsIn(one, own)
  )
}

const anonymous = (value: unknown, others: readonly string[]): unknown => {
  if (typeof value === 'string') return replaced(value, others)
  if (Array.isArray(value)) return value.map((one) => anonymous(one, others))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, anonymous(one, others)])
  )
}

/** Names stand as words: `a` is not taken out of `cache`. Longer names go first. */
const replaced = (text: string, others: readonly string[]): string =>
  others
    .filter((name) => text.includes(name))
    .sort((a, b) => b.length - a.length)
    .reduce((changed, name) => changed.replaceAll(asWord(name), STRANGER), text)

const asWord = (name: string): RegExp =>
  new RegExp(
    `(?<![\\p{L}\\p{N}_])${name.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&')}(?![\\p{L}\\p{N}_])`,
    'gu'
  )
