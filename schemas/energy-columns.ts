import type { Column } from './tables.ts'

/** Tables of measured energy: readings of meters as they came, and what they were split into. */

const text = (name: string, comment: string): Column => ({ name, type: 'VARCHAR', comment })
const whole = (name: string, comment: string): Column => ({ name, type: 'BIGINT', comment })

export const METER_READING_COLUMNS: readonly Column[] = [
  whole('import', 'Which import brought the reading: 1, 2, 3 …'),
  text('host', 'Host of the GPU, as events name the serving host.'),
  text('gpu', 'UUID of the GPU, or its index on the host.'),
  text('gpu_model', 'Model of the GPU; null = not told.'),
  { name: 'time', type: 'TIMESTAMPTZ', comment: 'When the meter was read.' },
  text('kind', 'energy, a counter that grows, or power of the moment.'),
  text('unit', 'J, mJ, W or mW; null = only the rate of change tells it.'),
  { name: 'value', type: 'DOUBLE', comment: 'What the meter said, in its unit.' }
]

export const ENERGY_MEASURED_COLUMNS: readonly Column[] = [
  whole('import', 'Import after which the row was written; sums over all are what is known now.'),
  text('host', 'Host whose meters were split.'),
  { name: 'window_start', type: 'TIMESTAMPTZ', comment: 'Start of the window of ten seconds.' },
  text(
    'line',
    'active, idle_serving, idle_unallocated and unattributed add up to meter; estimated is ' +
      'what calls are taken to have drawn while telemetry was dark, outside that balance.'
  ),
  text('tenant', 'Whose call; null on lines of the host.'),
  text('source', 'Source of the call.'),
  text('id', 'Id of the call; null on lines of the host.'),
  whole('microjoules', 'GPU boards alone; a later row of the same key corrects by its difference.'),
  {
    name: 'window_coverage',
    type: 'DOUBLE',
    comment: 'Share of the window whose telemetry is there; on lines of the host.'
  },
  text('version', 'Method and factors of the split.'),
  text('generation', 'Code, schemas, prices, factors behind the row.')
]
