import { BLOCK_TOKENS, CHANGE_MINUTE, LADDER, WARM_MINUTES, type Call } from './culprit.ts'

/** A block cache as vLLM keeps one: longest-prefix hits, least recently used blocks go first. */

/** A call as usage events tell it. */
export type Served = {
  second: number
  tenant: number
  inputTokens: number
  cachedTokens: number
  ladder: readonly number[]
}

export const replay = (calls: readonly Call[], capacityBlocks: number): Served[] => {
  const cache = new Map<number, true>()
  return calls.map(({ second, tenant, chain }) => {
    let hit = 0
    while (hit < chain.length && cache.has(chain[hit]!)) hit++
    // The tail goes in first, so that it is evicted first.
    for (let block = chain.length - 1; block >= 0; block--) {
      cache.delete(chain[block]!)
      cache.set(chain[block]!, true)
    }
    evict(cache, capacityBlocks)
    return {
      second,
      tenant,
      inputTokens: chain.length * BLOCK_TOKENS,
      cachedTokens: hit * BLOCK_TOKENS,
      ladder: LADDER.filter((rung) => rung <= chain.length).map((rung) => chain[rung - 1]!)
    }
  })
}

const evict = (cache: Map<number, true>, capacityBlocks: number): void => {
  for (const block of cache.keys()) {
    if (cache.size <= capacityBlocks) return
    cache.delete(block)
  }
}

/** Mean of distinct blocks touched in windows of this many seconds: a cache that just suffices. */
const WORKING_SET_SECONDS = 118
const SAMPLE_STEP_SECONDS = 300

export const workingSetBlocks = (calls: readonly Call[]): number => {
  const sizes: number[] = []
  const end = CHANGE_MINUTE * 60 - WORKING_SET_SECONDS
  for (let start = WARM_MINUTES * 60; start < end; start += SAMPLE_STEP_SECONDS) {
    const seen = new Set<number>()
    for (const { second, chain } of calls) {
      if (second < start || second > start + WORKING_SET_SECONDS) continue
      for (const block of chain) seen.add(block)
    }
    sizes.push(seen.size)
  }
  return Math.floor(sizes.reduce((sum, size) => sum + size, 0) / sizes.length)
}
