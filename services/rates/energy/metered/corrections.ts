import type { Attribution } from './attribute.ts'

/** A row that brings what was said before to what is known now; corrections of a window add to 0. */
export type EnergyCorrection = {
  /** A request's id, or null for a line of the host. */
  requestId: string | null
  line: 'active' | 'idle_serving' | 'idle_unallocated' | 'unattributed'
  deltaMicrojoules: number
}

/** What changed between two attributions of the same meter; empty when nothing did. */
export const energyCorrections = (before: Attribution, after: Attribution): EnergyCorrection[] => {
  const known = new Map(before.requests.map((row) => [row.id, row]))
  const now = new Map(after.requests.map((row) => [row.id, row]))
  const ids = [...new Set([...known.keys(), ...now.keys()])].sort()
  const ofRequests = ids.flatMap((id) => {
    const old = known.get(id)
    const row = now.get(id)
    return [
      correction(id, 'active', (row?.activeMicrojoules ?? 0) - (old?.activeMicrojoules ?? 0)),
      correction(id, 'idle_serving', (row?.idleMicrojoules ?? 0) - (old?.idleMicrojoules ?? 0))
    ]
  })
  const { lines } = after
  const was = before.lines
  const ofHost = [
    correction(
      null,
      'idle_unallocated',
      lines.idleUnallocatedMicrojoules - was.idleUnallocatedMicrojoules
    ),
    correction(null, 'unattributed', lines.unattributedMicrojoules - was.unattributedMicrojoules)
  ]
  return [...ofRequests, ...ofHost].filter(({ deltaMicrojoules }) => deltaMicrojoules !== 0)
}

const correction = (
  requestId: string | null,
  line: EnergyCorrection['line'],
  deltaMicrojoules: number
): EnergyCorrection => ({ requestId, line, deltaMicrojoules })
