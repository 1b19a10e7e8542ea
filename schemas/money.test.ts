import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Failure } from './failure.ts'
import {
  allocate,
  costPico,
  divideNearest,
  formatUsd,
  isWholePico,
  parseUsd,
  PICO_PER_CENT,
  roundToUnit,
  roundUsd
} from './money.ts'

const pico = fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n })

describe('money', () => {
  test('reads decimals exactly and refuses what a pico-dollar can not hold', () => {
    assert.equal(parseUsd('0.0175392'), 17_539_200_000n)
    assert.equal(parseUsd('-1.5'), -1_500_000_000_000n)
    assert.equal(parseUsd('6e-09'), 6_000n)
    assert.equal(parseUsd('.5'), 500_000_000_000n)
    assert.equal(parseUsd('1.0000000000000000'), 1_000_000_000_000n)
    for (const text of ['', '.', 'x', '1,5', '1.2.3', 'NaN', '1e9999', ' 1', '0.0000000000001']) {
      assert.throws(() => parseUsd(text), Failure, text)
    }
  })

  test('rounds float artefacts to the pico-dollar that was meant', () => {
    assert.equal(roundUsd(3.0001999999999996e-7), 300_020n)
    assert.equal(roundUsd(0.1 + 0.2), 300_000_000_000n)
    assert.equal(isWholePico(3.59375e-8), false)
    assert.equal(roundUsd(3.59375e-8), 35_938n)
  })

  test('format and parse are inverse', () => {
    fc.assert(fc.property(pico, (value) => parseUsd(formatUsd(value)) === value))
  })

  test('multiplication distributes over the tokens', () => {
    const tokens = fc.nat({ max: 2 ** 31 - 1 })
    fc.assert(
      fc.property(pico, tokens, tokens, (price, left, right) => {
        assert.equal(costPico(price, left) + costPico(price, right), costPico(price, left + right))
      })
    )
  })

  test('rounding moves a value by at most half a unit', () => {
    fc.assert(
      fc.property(pico, fc.bigInt({ min: 1n, max: 10n ** 12n }), (value, unit) => {
        const rounded = roundToUnit(value, unit)
        assert.equal(rounded % unit, 0n)
        const off = rounded - value
        assert.ok(2n * (off < 0n ? -off : off) <= unit)
        assert.equal(divideNearest(-value, unit), -divideNearest(value, unit))
      })
    )
  })

  test('an allocation sums to the cent and gives each part its share within one cent', () => {
    const weights = fc.array(fc.bigInt({ min: 0n, max: 10n ** 15n }), {
      minLength: 1,
      maxLength: 40
    })
    fc.assert(
      fc.property(pico, weights, (value, parts) => {
        const sum = parts.reduce((left, right) => left + right, 0n)
        fc.pre(sum > 0n)
        const total = roundToUnit(value)
        const shares = allocate(total, parts)
        assert.equal(
          shares.reduce((left, right) => left + right, 0n),
          total
        )
        shares.forEach((share, index) => {
          const off = share * sum - total * (parts[index] ?? 0n)
          assert.ok((off < 0n ? -off : off) < PICO_PER_CENT * sum)
          if (parts[index] === 0n) assert.equal(share, 0n)
        })
      })
    )
  })

  test('an allocation favours the largest remainder, then the earlier part', () => {
    assert.deepEqual(allocate(10n, [1n, 1n, 1n], 1n), [4n, 3n, 3n])
    assert.deepEqual(allocate(-10n, [1n, 2n, 1n], 1n), [-3n, -5n, -2n])
    assert.throws(() => allocate(1n, [1n]), Failure)
    assert.throws(() => allocate(PICO_PER_CENT, [0n]), Failure)
  })
})
