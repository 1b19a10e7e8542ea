import { defineSignal } from '../define.ts'
import { foldMinute } from './fold.ts'
import { SUMS } from './profile.ts'
import { SETTINGS } from './settings.ts'
import { createState, restoreState, saveState } from './state.ts'

export default defineSignal({
  title: 'The same work takes more energy: larger models, smaller batches, or a lost cache',
  plots: 'tokens_per_joule',
  inputs: {
    traces: {
      keys: ['tenant', 'model', 'gpu', 'precision', 'n_gpus'],
      measures: [...SUMS, 'squares', 'joules', 'joules_n'],
      orderBy: ['tenant']
    }
  },
  settings: SETTINGS,
  init: createState,
  fold: foldMinute,
  save: saveState,
  restore: restoreState
})
