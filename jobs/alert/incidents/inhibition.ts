import { isOpen, type Incident } from './incident.ts'

/** While an incident of `cause` is open, new ones of `effect` for the same tenants are not told. */
export type InhibitionRule = { cause: string; effect: string }

/**
 * What is known to follow from something else. A collapsed cache raises the bill, so drift of the
 * same tenant's bill is no second incident.
 */
export const INHIBITIONS: readonly InhibitionRule[] = [
  { cause: 'cache-thrash', effect: 'billing-drift' }
]

/** The open incident that explains this one; somebody must know of it, or nobody would. */
export const findCause = (
  incident: Incident,
  incidents: Iterable<Incident>,
  rules: readonly InhibitionRule[]
): Incident | null => {
  const causes = rules.filter(({ effect }) => effect === incident.signal).map(({ cause }) => cause)
  if (causes.length === 0) return null
  for (const other of incidents) {
    if (!causes.includes(other.signal) || !isOpen(other) || !isKnown(other)) continue
    if (other.fingerprint !== incident.fingerprint && explains(other, incident)) return other
  }
  return null
}

const isKnown = (cause: Incident): boolean => cause.announced || cause.withheld === 'muted'

/** An incident of the whole fleet explains every tenant's. */
const explains = (cause: Incident, effect: Incident): boolean =>
  cause.tenant === null || (effect.tenant !== null && cause.tenants.includes(effect.tenant))
