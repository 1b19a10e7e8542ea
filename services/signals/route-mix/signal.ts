import { defineSignal } from '../define.ts'
import { beginMinute, follow, foldMinute } from './fold.ts'
import { SETTINGS } from './settings.ts'
import { createState, restoreState, saveState } from './state.ts'

export default defineSignal({
  title: 'Customers who get two different products: the mix of models behind one request moves',
  plots: 'other_model_pct',
  inputs: {
    traces: {
      keys: ['tenant', 'asked', 'model', 'route', 'kind'],
      measures: ['at_ms', 'is_fallback', 'refused', 'valid', 'score_ppm', 'cost_pico'],
      identities: ['conversation', 'end_user'],
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
