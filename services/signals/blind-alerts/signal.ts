import { defineSignal } from '../define.ts'
import { foldMinute } from './fold.ts'
import { SETTINGS } from './settings.ts'
import { createState, restoreState, saveState } from './state.ts'

export default defineSignal({
  title: 'Something fails and the page does not say where: which axis it is, and what is as usual',
  plots: 'failed_pct',
  inputs: {
    window: {
      keys: ['tenant', 'kind', 'name', 'provider', 'model'],
      measures: ['n', 'failed', 'throttled', 'cost_pico']
    },
    traces: {
      keys: ['tenant'],
      measures: ['time_ms'],
      texts: ['id', 'name', 'alert', 'status', 'severity', 'axis', 'runbook', 'contributors'],
      orderBy: ['time_ms', 'id']
    }
  },
  settings: SETTINGS,
  init: createState,
  fold: foldMinute,
  save: saveState,
  restore: restoreState
})
