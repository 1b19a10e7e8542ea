import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { traceTree } from '../trace-tree.ts'
import { treeRows, type TreeRow } from './app/tree-rows.ts'

type Call = { id: string; parent?: string; operation?: string; at: number; took?: number }

const rowsOf = (calls: readonly Call[]): TreeRow[] => {
  const nodes = traceTree(
    calls.map(({ id, parent, operation, at }) => ({
      span_id: id,
      parent_span_id: parent ?? null,
      operation_id: operation ?? null,
      attempt: null,
      kind: 'tool',
      name: id,
      startMs: at
    }))
  )
  const events = calls.map(({ id, at, took }) => ({
    id,
    time: new Date(at).toISOString(),
    tenant: 'acme',
    kind: 'tool',
    duration_ms: took ?? 0
  }))
  return treeRows(nodes, events)
}

const ids = (rows: readonly TreeRow[]): string[] => rows.map(({ event }) => event.id)

describe('rows of a call tree', () => {
  test('put attempts of one operation together, before what was called between them', () => {
    const rows = rowsOf([
      { id: 'agent', at: 0 },
      { id: 'first', parent: 'agent', operation: 'o', at: 1 },
      { id: 'other', parent: 'agent', at: 2 },
      { id: 'second', parent: 'agent', operation: 'o', at: 3 },
      { id: 'below', parent: 'first', at: 1 }
    ])
    assert.deepEqual(ids(rows), ['agent', 'first', 'below', 'second', 'other'])
    assert.deepEqual(
      rows.map(({ attempt }) => attempt),
      [null, { number: 1, of: 2 }, null, { number: 2, of: 2 }, null]
    )
  })

  test('keep an attempt of another caller where it was called', () => {
    const rows = rowsOf([
      { id: 'a', at: 0 },
      { id: 'b', at: 1 },
      { id: 'x', parent: 'a', operation: 'o', at: 2 },
      { id: 'y', parent: 'b', operation: 'o', at: 3 }
    ])
    assert.deepEqual(ids(rows), ['a', 'x', 'b', 'y'])
  })

  test('place each step within the whole trace', () => {
    const [agent, call] = rowsOf([
      { id: 'agent', at: 1000, took: 400 },
      { id: 'call', parent: 'agent', at: 1100, took: 100 }
    ])
    assert.deepEqual([agent?.start, agent?.length], [0, 1])
    assert.deepEqual([call?.start, call?.length], [0.25, 0.25])
  })

  test('hold every step of a trace that is thousands deep', () => {
    const calls = Array.from({ length: 5000 }, (_, index) => ({
      id: `s${index}`,
      at: index,
      ...(index === 0 ? {} : { parent: `s${index - 1}` })
    }))
    assert.equal(rowsOf(calls).length, 5000)
  })
})
