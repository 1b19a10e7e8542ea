import { defineSignal } from '../define.ts'
import { foldMinute } from './fold.ts'
import { SETTINGS } from './settings.ts'
import { createState, restoreState, saveState } from './state.ts'

export default defineSignal({
  title: 'Structured outputs miss their schema more often: what each compliant object now costs',
  plots: 'first_pass_pct',
  inputs: {
    window: {
      keys: ['tenant', 'model', 'schema'],
      measures: ['judged', 'valid', 'cost_pico']
    },
    traces: {
      keys: ['tenant', 'model', 'schema'],
      measures: ['at_ms', 'valid', 'attempt', 'cost_pico'],
      texts: ['operation', 'error'],
      orderBy: ['at_ms', 'id']
    }
  },
  settings: SETTINGS,
  init: createState,
  fold: foldMinute,
  save: saveState,
  restore: restoreState
})
