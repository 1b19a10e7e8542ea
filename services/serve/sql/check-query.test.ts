import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sharedEngine } from '../../lake/scratch-lake.ts'
import { openTestApi, openTestLake, TENANTS, type TestApi } from '../test-cluster.ts'

const OWN = TENANTS[0]
/** Every value of the other tenants starts with it. */
const OTHERS = 'zz-'

/** Not the same on every call, and tell nobody of anything but the time or chance. */
const HARMLESS = new Set([
  'current_date',
  'error',
  'gen_random_uuid',
  'get_current_time',
  'get_current_timestamp',
  'now',
  'random',
  'today',
  'transaction_timestamp',
  'uuid',
  'uuidv4',
  'uuidv7'
])

/** Columns of findings, the smallest view, to call functions with, by the type of a parameter. */
const ARGUMENTS: Readonly<Record<string, string>> = {
  ANY: 'fingerprint',
  T: 'fingerprint',
  VARCHAR: 'fingerprint',
  BIGINT: 'sequence',
  INTEGER: 'sequence::INTEGER',
  DOUBLE: 'sequence::DOUBLE',
  BOOLEAN: 'true',
  'TIMESTAMP WITH TIME ZONE': 'detected_at',
  'VARCHAR[]': '[fingerprint]',
  'ANY[]': '[fingerprint]',
  'T[]': '[fingerprint]'
}

describe('functions of the engine, for a key of one tenant', { timeout: 300_000 }, () => {
  const ends: (() => unknown)[] = []
  let api: TestApi

  before(async () => {
    const t = { after: (end: () => unknown) => ends.unshift(end) } as never
    const { dir } = await openTestLake(t)
    api = await openTestApi(t, dir)
  })
  after(async () => {
    for (const end of ends) await end()
  })

  const functions = async (where: string): Promise<{ name: string; parameters: string[] }[]> => {
    const engine = await sharedEngine()
    const rows = await engine.rows(`SELECT DISTINCT function_name AS name,
      to_json(parameter_types)::VARCHAR AS parameters FROM duckdb_functions()
      WHERE ${where} AND regexp_matches(function_name, '^[a-z]') ORDER BY ALL`)
    return rows.map((row) => ({
      name: String(row['name'] as string),
      parameters: JSON.parse(String(row['parameters'] as string)) as string[]
    }))
  }

  test('those that are not the same on every call are refused, or known to be harmless', async () => {
    const found = await functions(`(stability <> 'CONSISTENT' OR has_side_effects
      OR function_type = 'macro' AND regexp_matches(macro_definition, '\\b(SELECT|FROM)\\b'))`)
    const names = [...new Set(found.map(({ name }) => name))]
    for (const name of names.filter((one) => !HARMLESS.has(one))) {
      const { status, text } = await api.sql(`SELECT ${name}()`, OWN)
      assert.equal(status, 400, name)
      assert.match(text, /is not allowed here/, name)
    }
    assert.ok(names.length > HARMLESS.size + 10, String(names))
  })

  test('none tells of rows of others', async () => {
    const found = await functions(`function_type IN ('scalar', 'aggregate', 'macro')
      AND NOT starts_with(function_name, 'icu_collate_')`)
    // One call for each number of parameters: types beyond that change how values look, not whose they are.
    const calls = new Map<string, string>()
    for (const { name, parameters } of found) {
      const values = parameters.map((type) => ARGUMENTS[type])
      if (values.every((value) => value !== undefined))
        calls.set(`${name} ${values.length}`, `${name}(${values.join(', ')})`)
    }
    let answered = 0
    for (const call of calls.values()) {
      const { status, text } = await api.sql(`SELECT ${call} AS told FROM findings LIMIT 1`, OWN)
      assert.ok(status < 500, `${call}: ${text}`)
      assert.ok(!text.includes(OTHERS), `${call}: ${text}`)
      if (status === 200) answered++
    }
    assert.ok(answered > 200, `${answered} of ${calls.size} calls were answered`)
  })
})
