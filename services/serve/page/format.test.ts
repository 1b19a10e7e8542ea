import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as format from './app/format.ts'

describe('figures', () => {
  test('that nobody reported never look like 0', () => {
    for (const write of [
      format.usd,
      format.count,
      format.percent,
      format.joules,
      format.duration
    ]) {
      assert.equal(write(null), '–')
      assert.notEqual(write(0), '–')
    }
    assert.equal(format.figure('hit_rate_pct', null), '–')
  })

  test('in dollars keep two digits that say something', () => {
    assert.equal(format.usd('736.6284'), '$736.63')
    assert.equal(format.usd('0.00000123'), '$0.0000012')
    assert.equal(format.usd('-1234567.5'), '−$1,234,568')
  })

  test('of time and energy come in the unit that people would say', () => {
    assert.equal(format.duration(840), '840 ms')
    assert.equal(format.duration(420_000), '7 min')
    assert.equal(format.joules(52_920_000), '14.7 kWh')
    assert.equal(format.joules(0.5), '0.5 J')
  })

  test('are written by the unit that their name carries', () => {
    assert.equal(format.figure('hit_rate_pct', 71.23), '71.2 %')
    assert.equal(format.figure('cost_usd_per_hour', '518.5677'), '$518.57')
    assert.equal(format.figure('hit_rate_pct_before', 77), '77 %')
    assert.equal(format.figure('share', 0.42), '42 %')
    assert.equal(format.figure('duration_ms', 1500), '1.5 s')
    assert.equal(format.figure('tenant', 'acme'), 'acme')
    assert.equal(format.label('input_tokens_per_minute_before'), 'input tokens per minute before')
    assert.equal(format.label('hit_rate_pct_before'), 'hit rate before')
  })

  test('compare with before only where there is a before', () => {
    assert.equal(format.change('120', '100'), '+20 %')
    assert.equal(format.change('50', '100'), '−50 %')
    assert.equal(format.change('999', '100'), '+899 %')
    assert.equal(format.change('158100', '100'), '×1,580')
    assert.equal(format.change('50', '0'), null)
    assert.equal(format.change(null, '100'), null)
  })
})
