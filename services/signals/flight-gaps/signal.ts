import { defineSignal } from '../define.ts'
import { foldMinute } from './fold.ts'
import { SETTINGS } from './settings.ts'
import { createState, restoreState, saveState } from './state.ts'

export default defineSignal({
  title: 'What a flight would be replayed by is no longer recorded',
  plots: 'completeness_pct',
  inputs: {
    traces: {
      keys: ['tenant', 'emitter'],
      measures: ['time_ms', 'is_agent', 'version', 'prompt', 'temperature', 'usage', 'result'],
      texts: ['name', 'trace_id', 'span_id', 'parent_span_id'],
      orderBy: ['time_ms', 'trace_id', 'span_id']
    }
  },
  settings: SETTINGS,
  init: createState,
  fold: foldMinute,
  save: saveState,
  restore: restoreState
})
