import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseMeterText } from './meter-text.ts'

const CODE = { code: 'E_FACTOR_TABLE' }

test('a table, a scrape and a query answer of one counter give the same readings', () => {
  const labels = 'UUID="GPU-1",Hostname="node-1",modelName="NVIDIA L4"'
  const table = parseMeterText(
    'time,host,gpu_uuid,gpu_model,total_energy_mj\n2026-03-01T10:00:00Z,node-1,GPU-1,NVIDIA L4,5000\n'
  )
  const long = parseMeterText(
    'timestamp,gpu,value,unit,model\r\n1772359200,GPU-1,5000,mJ,NVIDIA L4\r\n',
    { host: 'node-1' }
  )
  const scrape = parseMeterText(
    `# TYPE x counter\nDCGM_FI_DEV_ENERGY_MILLIJOULES{${labels}} 5000 1772359200000\nup 1\n`
  )
  const answer = parseMeterText(
    JSON.stringify({
      data: {
        result: [
          {
            metric: {
              __name__: 'DCGM_FI_DEV_ENERGY_MILLIJOULES',
              UUID: 'GPU-1',
              Hostname: 'node-1',
              modelName: 'NVIDIA L4'
            },
            value: [1772359200, '5000']
          }
        ]
      }
    })
  )
  const [reading] = table.readings
  assert.deepEqual(reading, {
    host: 'node-1',
    gpu: 'GPU-1',
    gpuModel: 'NVIDIA L4',
    timeMs: 1772359200000,
    kind: 'energy',
    unit: 'mJ',
    value: 5000
  })
  for (const { readings } of [long, scrape, answer]) assert.deepEqual(readings, [reading])
})

test('an unknown unit, a number that is none and a missing host or time are named, not guessed', () => {
  const refused = (text: string, pattern: RegExp): void => {
    assert.throws(() => parseMeterText(text), { ...CODE, message: pattern })
  }
  refused('time,host,value,unit\n2026-03-01T10:00:00Z,h,1,BTU\n', /line 2.*"BTU"/)
  refused('time,host,value,unit\n2026-03-01T10:00:00Z,h,1,MW\n', /"MW"/)
  refused('time,host,energy_w\n2026-03-01T10:00:00Z,h,1\n', /energy_w/)
  refused('time,host,energy_j\n2026-03-01T10:00:00Z,h,many\n', /"many"/)
  refused('time,host,energy_j\nyesterday,h,1\n', /"yesterday"/)
  refused('time,energy_j\n2026-03-01T10:00:00Z,1\n', /host/)
  refused('time,host,joy\n2026-03-01T10:00:00Z,h,1\n', /joy/)
  refused('DCGM_FI_DEV_POWER_USAGE{Hostname="h",gpu="0"} 70\n', /no times/)
  refused('DCGM_FI_DEV_POWER_USAGE{gpu="0"} 70 1772359200000\n', /host/)
  refused('gpu_power_kilowatts{host="h"} 70 1772359200000\n', /gpu_power_kilowatts/)
  refused('{"data": 1', /JSON/)
})

test('a scrape without times takes the time and host given, and tells what it left out', () => {
  const text = 'DCGM_FI_DEV_POWER_USAGE{gpu="0"} 70\ncpu_power_horses{host="h"} 3\n'
  const { readings, ignored } = parseMeterText(text, { host: 'h', timeMs: 1000 })
  assert.deepEqual(readings, [
    { host: 'h', gpu: '0', gpuModel: null, timeMs: 1000, kind: 'power', unit: 'W', value: 70 }
  ])
  assert.deepEqual(ignored, ['cpu_power_horses'])
})
