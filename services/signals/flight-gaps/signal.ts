import { defineSignal } from '../define.ts'
import { beginMinute, follow, foldMinute } from './fold.ts'
import { RECORDED } from './facts.ts'
import { SETTINGS } from './settings.ts'
import { createState, restoreState, saveState } from './state.ts'

export default defineSignal({
  title: 'What a flight would be replayed by is no longer recorded',
  plots: 'completeness_pct',
  inputs: {
    traces: {
      keys: ['tenant', 'emitter'],
      measures: ['time_ms', 'trace', 'span', 'parent', ...RECORDED],
      texts: ['agent'],
      orderBy: ['time_ms', 'trace', 'span']
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
