const MS_PER_S = 1000
const US_PER_S = 1_000_000

export type Result = { peer: string; events: number; windows: number; checksum: bigint }

/** What this process has cost so far, as one line in the form that all racers print. */
export const figures = (result: Result): string =>
  figuresOf(result, process.cpuUsage(), performance.now() / MS_PER_S)

/** The same for a part of the process: CPU in microseconds, wall time in seconds. */
export const figuresOf = (
  result: Result,
  { user, system }: { user: number; system: number },
  wallS: number
): string => {
  const cpuS = (user + system) / US_PER_S
  const { peer, events, windows, checksum } = result
  const fields = {
    peer,
    events,
    wall_s: rounded(wallS),
    cpu_s: rounded(cpuS),
    events_per_cpu_s: Math.round(events / cpuS),
    events_per_s: Math.round(events / wallS),
    windows,
    peak_memory_mib: Math.round(process.resourceUsage().maxRSS / 1024)
  }
  // The checksum has more digits than a double holds.
  return `${JSON.stringify(fields).slice(0, -1)},"checksum":${checksum}}`
}

const rounded = (value: number): number => Math.round(value * 10) / 10
