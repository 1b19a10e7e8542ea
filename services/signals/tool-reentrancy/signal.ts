import { defineSignal } from '../define.ts'
import { beginMinute, follow, foldMinute } from './fold.ts'
import { SETTINGS } from './settings.ts'
import { createState, restoreState, saveState } from './state.ts'

export default defineSignal({
  title: 'Agents that call the same tool again and again, or call themselves: found while they run',
  plots: 'repeated_calls_pct',
  inputs: {
    traces: {
      keys: ['tenant', 'kind', 'name'],
      measures: ['at_ms', 'duration_ms', 'cost_pico', 'tokens'],
      texts: ['trace', 'args', 'result'],
      identities: ['trace', 'span', 'parent', 'args'],
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
