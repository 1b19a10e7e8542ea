/** A call that ran on some replica from start to end. Calls of one `replica` share its batch. */
export type RunningCall = { id: string; replica: string; startMs: number; endMs: number }

type Edge = { timeMs: number; change: number }

/**
 * Mean number of calls running on the same replica while each call ran, itself included: the
 * concurrency that settling restates estimates with. Sweeps each replica's edges once and reads the
 * time integral of the running count at both ends of a call; O(n log n), whatever the order.
 */
export const overlapConcurrency = (calls: readonly RunningCall[]): Map<string, number> => {
  const replicas = new Map<string, RunningCall[]>()
  for (const call of calls) {
    const known = replicas.get(call.replica)
    if (known === undefined) replicas.set(call.replica, [call])
    else known.push(call)
  }
  const result = new Map<string, number>()
  for (const members of replicas.values()) addReplica(members, result)
  return result
}

const addReplica = (calls: readonly RunningCall[], result: Map<string, number>): void => {
  const timeline = runningIntegral(calls)
  for (const { id, startMs, endMs } of calls) {
    const length = endMs - startMs
    const mean =
      length > 0 ? (integralAt(timeline, endMs) - integralAt(timeline, startMs)) / length : 1
    // Rounding of large sums must not push a lone call below itself.
    result.set(id, Math.max(1, mean))
  }
}

type Timeline = { times: Float64Array; running: Float64Array; integral: Float64Array }

const runningIntegral = (calls: readonly RunningCall[]): Timeline => {
  const edges: Edge[] = calls.flatMap(({ startMs, endMs }) => [
    { timeMs: startMs, change: 1 },
    { timeMs: endMs, change: -1 }
  ])
  edges.sort((a, b) => a.timeMs - b.timeMs)
  const times = new Float64Array(edges.length)
  const running = new Float64Array(edges.length)
  const integral = new Float64Array(edges.length)
  let count = 0
  for (const [index, { timeMs, change }] of edges.entries()) {
    const previous = index === 0 ? timeMs : (times[index - 1] ?? timeMs)
    times[index] = timeMs
    integral[index] = (index === 0 ? 0 : (integral[index - 1] ?? 0)) + count * (timeMs - previous)
    count += change
    running[index] = count
  }
  return { times, running, integral }
}

const integralAt = ({ times, running, integral }: Timeline, timeMs: number): number => {
  let low = 0
  let high = times.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((times[middle] ?? 0) <= timeMs) low = middle + 1
    else high = middle
  }
  const last = low - 1
  if (last < 0) return 0
  return (integral[last] ?? 0) + (running[last] ?? 0) * (timeMs - (times[last] ?? 0))
}
