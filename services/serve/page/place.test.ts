import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { hrefHere, hrefTo, rangeChanges, rangeOf, readPlace } from './app/place.ts'

describe('an address', () => {
  test('names the view, the thing and the stretch of time', () => {
    const place = readPlace('/incidents/cache%2Fthrash?last=6h&filter=a:b')
    assert.equal(place.view, 'incidents')
    assert.equal(place.id, 'cache/thrash')
    assert.deepEqual(rangeOf(place), { last: '6h' })
  })

  test('that is written badly still leads somewhere', () => {
    assert.equal(readPlace('/traces/%E0%A4%A').id, '%E0%A4%A')
  })

  test('of another view keeps the stretch of time and drops filters', () => {
    const place = readPlace('/explore?last=6h&filter=model:x&by=tenant')
    assert.equal(hrefTo(place, '/energy'), '/energy?last=6h')
  })

  test('of the same view changes what is named and keeps the rest', () => {
    const place = readPlace('/tenants/a%2Fb?last=6h&month=2026-03')
    assert.equal(hrefHere(place, { month: '2026-02' }), '/tenants/a%2Fb?last=6h&month=2026-02')
    assert.equal(hrefHere(place, { last: null, month: null }), '/tenants/a%2Fb')
  })

  test('holds several filters', () => {
    const href = hrefHere(readPlace('/explore'), { filter: ['model:x', 'route:y&z'] })
    assert.deepEqual(readPlace(href).query.getAll('filter'), ['model:x', 'route:y&z'])
  })

  test('takes a zoom as whole seconds, in place of a length', () => {
    const href = hrefHere(readPlace('/?last=6h'), rangeChanges(1_772_442_000.4, 1_772_443_800.2))
    assert.deepEqual(rangeOf(readPlace(href)), {
      from: '2026-03-02T09:00:00.000Z',
      to: '2026-03-02T09:30:01.000Z'
    })
  })
})
