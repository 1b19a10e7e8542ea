import { defineSignal } from '../define.ts'
import { beginMinute, follow, foldMinute } from './fold.ts'
import { SETTINGS } from './settings.ts'
import { createState, restoreState, saveState } from './state.ts'

export default defineSignal({
  title:
    'Guardrails eat the time: the budget of refusals or answers burns, and which stage does it',
  plots: 'trace_p95_ms',
  inputs: {
    traces: {
      keys: ['tenant', 'kind', 'name', 'route'],
      measures: ['time_ms', 'duration_ms', 'refused', 'cost_pico', 'trace', 'span', 'parent'],
      texts: ['user'],
      orderBy: ['time_ms', 'id']
    }
  },
  settings: SETTINGS,
  init: createState,
  begin: beginMinute,
  follow,
  fold: foldMinute,
  save: saveState,
  restore: restoreState
})
