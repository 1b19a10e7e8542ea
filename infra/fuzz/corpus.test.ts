import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { createRandom } from '../worlds/random.ts'
import { corpusFile, readCorpus } from './corpus.ts'
import { judge } from './judge.ts'
import { mutate } from './mutate.ts'
import { loadTargets } from './target.ts'

/** Changed inputs a target, beside those that are known; `make prove` runs 100,000. */
const CHANGED = 100

const targets = await loadTargets()

describe('what comes from outside', () => {
  for (const [name, target] of targets) {
    test(`is read or refused in good order by ${name}`, async () => {
      for (const { found, input } of await readCorpus(name)) {
        assert.equal(await judge(target, input), null, `again: ${found}`)
      }
      const random = createRandom(1)
      const seeds = (await target.seeds()).map((seed) => Buffer.from(seed))
      const other = (): Buffer => seeds[random.integer(0, seeds.length)]!
      for (const seed of seeds) assert.equal(await judge(target, seed), null)
      for (let one = 0; one < CHANGED; one++) {
        const input = mutate(other(), { random, words: [], other })
        assert.equal(await judge(target, input), null, input.toString('base64'))
      }
    })
  }

  test('has a target for every file of inputs that found something', async () => {
    const files = await readdir(new URL('./corpus/', import.meta.url))
    const known = new Set([...targets.keys()].map(corpusFile))
    assert.deepEqual(
      files.filter((file) => !known.has(file)),
      []
    )
    assert.ok(files.length > 0)
  })
})
