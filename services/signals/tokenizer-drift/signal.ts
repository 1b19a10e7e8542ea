import { defineSignal } from '../define.ts'
import { follow, foldMinute } from './fold.ts'
import { SETTINGS } from './settings.ts'
import { createState, restoreState, saveState } from './state.ts'

export default defineSignal({
  title: 'Tokens counted on our side are not the tokens that the provider reports',
  plots: 'drift_pct',
  inputs: {
    traces: {
      keys: ['provider', 'model', 'tokenizer', 'script'],
      measures: [
        'local_in',
        'reported_in',
        'local_out',
        'reported_out',
        'near_limit',
        'token_pico'
      ],
      identities: ['conversation'],
      orderBy: ['time']
    }
  },
  settings: SETTINGS,
  init: createState,
  follow,
  fold: foldMinute,
  save: saveState,
  restore: restoreState
})
