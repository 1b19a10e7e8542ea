import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { apportion } from './apportion.ts'
import { affineShapley } from './shapley.ts'

/** The Shapley value by its definition: mean marginal cost over all orders of arrival. */
const shapleyByOrders = (count: number, cost: (members: readonly number[]) => number): number[] => {
  const totals = Array.from({ length: count }, () => 0)
  const orders = permutations(Array.from({ length: count }, (_, index) => index))
  for (const order of orders) {
    for (const [position, member] of order.entries()) {
      const before = order.slice(0, position)
      totals[member] = (totals[member] ?? 0) + cost([...before, member]) - cost(before)
    }
  }
  return totals.map((total) => total / orders.length)
}

const permutations = (items: readonly number[]): number[][] =>
  items.length <= 1
    ? [[...items]]
    : items.flatMap((item) =>
        permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest])
      )

const Marginals = fc.array(fc.double({ min: 0, max: 50, noNaN: true }), {
  minLength: 1,
  maxLength: 6
})
const Shared = fc.double({ min: 0, max: 500, noNaN: true })

test('the closed form is the Shapley value: efficient, symmetric, additive, blind to order', () => {
  fc.assert(
    fc.property(Shared, Marginals, Shared, (shared, marginals, more) => {
      const cost = (members: readonly number[]): number =>
        members.length === 0 ? 0 : shared + members.reduce((sum, i) => sum + (marginals[i] ?? 0), 0)
      const value = affineShapley(shared, marginals)
      const defined = shapleyByOrders(marginals.length, cost)
      const near = (a: number, b: number): boolean =>
        Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(b))
      assert.ok(value.every((share, index) => near(share, defined[index] ?? 0)))
      const whole = cost(marginals.map((_, index) => index))
      assert.ok(
        near(
          value.reduce((sum, share) => sum + share, 0),
          whole
        )
      )
      assert.deepEqual(affineShapley(shared, marginals.toReversed()), value.toReversed())
      const twins = affineShapley(shared, [...marginals, marginals[0] ?? 0])
      assert.equal(twins[0], twins.at(-1))
      const sum = affineShapley(
        shared + more,
        marginals.map((m) => 2 * m)
      )
      const parts = affineShapley(more, marginals)
      assert.ok(sum.every((share, index) => near(share, (value[index] ?? 0) + (parts[index] ?? 0))))
      // With no shared cost a member without marginal cost is a null player and owes nothing.
      assert.equal(affineShapley(0, [...marginals, 0]).at(-1), 0)
    }),
    { numRuns: 100, seed: 11 }
  )
})

test('whole shares add up, favour no order and give nothing to no weight', () => {
  fc.assert(
    fc.property(
      fc.nat(1e9),
      fc.uniqueArray(
        fc.record({ key: fc.string(), weight: fc.double({ min: 0, max: 9, noNaN: true }) }),
        {
          selector: ({ key }) => key
        }
      ),
      (total, claims) => {
        const shares = apportion(total, claims)
        const given = [...shares.values()].reduce((sum, share) => sum + share, 0)
        assert.equal(given, claims.some(({ weight }) => weight > 0) ? total : 0)
        assert.deepEqual(apportion(total, claims.toReversed()), shares)
        assert.ok(claims.every(({ key, weight }) => weight > 0 || !shares.has(key)))
      }
    ),
    { numRuns: 200, seed: 3 }
  )
})
