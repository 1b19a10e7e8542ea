import type { Engine } from '../../lake/engine.ts'
import { sqlTime } from '../literal.ts'
import { blockAt, COMPOSED, type BlockName } from './blocks.ts'
import { inTransaction } from './load.ts'
import { blockSql, rollupsWith, tableOf, type Rollup } from './rollups.ts'
import { touches, type Span } from './spans.ts'

export type Block = { name: BlockName; fromMs: number }

/** Blocks that are put together out of all of their hours, by length and start. */
export class Composed {
  readonly #engine: Engine
  readonly #held = new Map<BlockName, Set<number>>(COMPOSED.map((name) => [name, new Set()]))

  private constructor(engine: Engine) {
    this.#engine = engine
  }

  static async open(engine: Engine): Promise<Composed> {
    const composed = new Composed(engine)
    for (const row of await engine.rows('FROM cube.blocks'))
      composed.#held.get(row['name'] as BlockName)?.add(Number(row['from_ms']))
    return composed
  }

  /** Those that a rollup has rows of. */
  spansOf({ blocks }: Rollup): Map<BlockName, Span[]> {
    const spans = [...this.#held].map(([name, starts]): [BlockName, Span[]] => [
      name,
      blocks.includes(name) ? [...starts].map((fromMs) => blockAt(fromMs, name)) : []
    ])
    return new Map(spans)
  }

  /**
   * Blocks to be put together, short ones first, the newest first. The last one of each length is
   * still under way: it would be made anew each hour.
   */
  due(hours: Iterable<Span>, unread: readonly Span[]): Block[] {
    const known = [...hours]
    return COMPOSED.flatMap((name) => {
      const startOf = ({ fromMs }: Span): number => blockAt(fromMs, name).fromMs
      const waiting = new Set(unread.map(startOf))
      const held = this.#held.get(name)!
      const all = [...new Set(known.map(startOf))].sort((a, b) => b - a)
      const due = all.slice(1).filter((fromMs) => !held.has(fromMs) && !waiting.has(fromMs))
      return due.map((fromMs) => ({ name, fromMs }))
    })
  }

  /** Blocks that have an hour in one of the spans. */
  stale(changed: readonly Span[]): Block[] {
    return [...this.#held].flatMap(([name, starts]) =>
      [...starts]
        .filter((fromMs) => changed.some((span) => touches(span, blockAt(fromMs, name))))
        .map((fromMs) => ({ name, fromMs }))
    )
  }

  async putTogether({ name, fromMs }: Block): Promise<void> {
    const span = blockAt(fromMs, name)
    await inTransaction(this.#engine, [
      ...rollupsWith(name).map((rollup) => blockSql(rollup, name, span)),
      `INSERT INTO cube.blocks VALUES ('${name}', ${fromMs})`
    ])
    this.#held.get(name)!.add(fromMs)
  }

  /** Statements that take blocks out; `forget` them when these have run. */
  removalSql(blocks: readonly Block[]): string[] {
    return COMPOSED.flatMap((name) => {
      const starts = blocks.filter((one) => one.name === name).map(({ fromMs }) => fromMs)
      if (starts.length === 0) return []
      const times = starts.map(sqlTime).join(', ')
      return [
        ...rollupsWith(name).map(
          (one) => `DELETE FROM ${tableOf(one, name)} WHERE window_start IN (${times})`
        ),
        `DELETE FROM cube.blocks WHERE name = '${name}' AND from_ms IN (${starts.join(', ')})`
      ]
    })
  }

  forget(blocks: readonly Block[]): void {
    for (const { name, fromMs } of blocks) this.#held.get(name)!.delete(fromMs)
  }
}
