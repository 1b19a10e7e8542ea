import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ecologitsJoules } from './ecologits.ts'

const PYTHON = fileURLToPath(new URL('../../.venv/bin/python', import.meta.url))
const CASES = [
  [8.03, 8.03, 396],
  [235, 22, 879],
  [405.9, 405.9, 360],
  [20.9, 3.6, 2142],
  [0.6, 0.6, 10]
] as const

// The package's own functions, GPU part alone: kWh of one GPU times the GPUs that it asks for.
const SCRIPT = `
import json, sys
from ecologits.impacts import llm
out = []
for total, active, tokens in json.load(sys.stdin):
    one = llm.gpu_energy(active, tokens, llm.BATCH_SIZE, llm.GPU_ENERGY_ALPHA, llm.GPU_ENERGY_BETA, llm.GPU_ENERGY_GAMMA)
    gpus = llm.gpu_required_count(llm.model_required_memory(total, llm.MODEL_QUANTIZATION_BITS), llm.GPU_MEMORY)
    out.append(one * gpus * 3.6e6)
print(json.dumps(out))
`

const hasPackage =
  existsSync(PYTHON) && spawnSync(PYTHON, ['-c', 'import ecologits.impacts.llm']).status === 0
const skip = hasPackage ? false : 'ecologits is not installed in .venv'

test('our EcoLogits is the package itself', { skip }, () => {
  const run = spawnSync(PYTHON, ['-c', SCRIPT], { input: JSON.stringify(CASES), encoding: 'utf8' })
  assert.equal(run.status, 0, run.stderr)
  const theirs = JSON.parse(run.stdout) as number[]
  for (const [index, [total, active, tokens]] of CASES.entries()) {
    const ours = ecologitsJoules(total, active, tokens)
    assert.ok(Math.abs(ours / (theirs[index] ?? 0) - 1) < 1e-9, `${total}B: ${ours}`)
  }
})
