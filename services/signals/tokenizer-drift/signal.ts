import { defineSignal } from '../define.ts'
import { foldMinute } from './fold.ts'
import { SETTINGS } from './settings.ts'
import { createState, restoreState, saveState } from './state.ts'

export default defineSignal({
  title: 'Tokens counted on our side are not the tokens that the provider reports',
  plots: 'drift_pct',
  inputs: {
    traces: {
      keys: ['provider', 'model', 'tokenizer', 'script', 'side'],
      measures: ['ratio_bin', 'n', 'clusters', 'l', 'r', 'll', 'rr', 'lr', 'extra_pico'],
      orderBy: ['provider', 'model', 'tokenizer', 'script', 'side', 'ratio_bin']
    }
  },
  settings: SETTINGS,
  init: createState,
  fold: foldMinute,
  save: saveState,
  restore: restoreState
})
