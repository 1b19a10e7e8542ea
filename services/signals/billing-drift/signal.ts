import { defineSignal } from '../define.ts'
import { foldMinute } from './fold.ts'
import { SETTINGS } from './settings.ts'
import { createState, restoreState, saveState } from './state.ts'

export default defineSignal({
  title: 'What a call cost by its own statement is not what its tokens cost by our book',
  plots: 'stated_to_metered_pct',
  inputs: {
    traces: {
      keys: ['provider', 'model', 'emitter'],
      measures: [
        'calls',
        'metered_pico',
        'stated_pico',
        'weight',
        'time_ms',
        'rounding_pico',
        'stated_tokens_pico'
      ],
      texts: ['event', 'tenant', 'id'],
      orderBy: ['time_ms', 'id']
    }
  },
  settings: SETTINGS,
  init: createState,
  fold: foldMinute,
  save: saveState,
  restore: restoreState
})
