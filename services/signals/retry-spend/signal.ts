import { defineSignal } from '../define.ts'
import { beginMinute, follow, foldMinute } from './fold.ts'
import { SETTINGS } from './settings.ts'
import { createState, restoreState, saveState } from './state.ts'

export default defineSignal({
  title: 'Money spent on trying again: retries that rise, and the loop that is still running',
  plots: 'retry_spend_pct',
  inputs: {
    window: {
      keys: ['tenant', 'provider', 'model', 'route'],
      measures: ['n', 'retries', 'cost_pico', 'cost_retry_pico', 'n_429', 'n_529']
    },
    traces: {
      keys: ['tenant', 'model'],
      measures: ['at_ms', 'attempt', 'tokens', 'cost_pico', 'status'],
      texts: ['operation', 'shape', 'failure'],
      orderBy: ['at_ms', 'id']
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
