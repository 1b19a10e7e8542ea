import { defineSignal } from '../define.ts'
import { foldMinute } from './fold.ts'
import { SETTINGS } from './settings.ts'
import { createState, restoreState, saveState } from './state.ts'

export default defineSignal({
  title: 'Worse than this hour of the week explains: a change, told apart from the clock',
  plots: 'of_usual_pct',
  inputs: {
    window: {
      keys: ['tenant', 'provider', 'model', 'what'],
      measures: ['step', 'n', 'bad'],
      orderBy: ['step']
    }
  },
  settings: SETTINGS,
  init: createState,
  fold: foldMinute,
  save: saveState,
  restore: restoreState
})
