import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TableName } from '../../schemas/tables.ts'
import type { Head, LiveFile } from '../../services/lake/commit.ts'
import { openHeldWindows } from './held-windows.ts'

const MINUTE_MS = 60_000

const headOf = (files: Partial<Record<TableName, string[]>>, hours: [string, unknown][] = []) =>
  ({
    version: 1,
    positions: new Map(),
    state: new Map(hours),
    files: new Map(
      Object.entries(files).map(([table, paths]) => [
        table,
        new Map(paths.map((path) => [path, { table, path } as LiveFile]))
      ])
    )
  }) as unknown as Head

const windowsOf = ({ files }: Head): string[] => [...files.get('windows_raw')!.keys()]

test('of files whose windows are held already nothing is copied again, and events are read as ever', () => {
  const held = openHeldWindows()
  const first = held.take(headOf({ windows_raw: ['a'], events_raw: ['e'] }), 0)
  assert.deepEqual([windowsOf(first.rest), first.isMore], [['a'], false])
  const next = held.take(headOf({ windows_raw: ['a', 'b'], events_raw: ['e'] }), 0)
  assert.deepEqual([windowsOf(next.rest), next.isMore], [['b'], true])
  assert.deepEqual([...next.rest.files.get('events_raw')!.keys()], ['e'])
  const last = held.take(headOf({ windows_raw: ['a', 'b', 'c'] }), 0)
  assert.deepEqual([windowsOf(last.rest), last.isMore], [['c'], true])
})

for (const [what, head, minuteMs] of [
  ['another minute', headOf({ windows_raw: ['a', 'b'] }), MINUTE_MS],
  ['a file that was merged into another', headOf({ windows_raw: ['b'] }), 0],
  ['an hour that was settled meanwhile', headOf({ windows_raw: ['a', 'b'] }, [['hour/0', 7]]), 0]
] as const) {
  test(`${what}: all is copied`, () => {
    const held = openHeldWindows()
    held.take(headOf({ windows_raw: ['a'] }), 0)
    const { rest, isMore } = held.take(head, minuteMs)
    assert.deepEqual([windowsOf(rest), isMore], [windowsOf(head), false])
  })
}

test('what was replaced by other rows is copied again', () => {
  const held = openHeldWindows()
  held.take(headOf({ windows_raw: ['a'] }), 0)
  held.drop()
  assert.equal(held.take(headOf({ windows_raw: ['a'] }), 0).isMore, false)
})
