import { defineSignal } from '../define.ts'
import { foldMinute } from './fold.ts'
import { SETTINGS } from './settings.ts'
import { createState, restoreState, saveState } from './state.ts'

export default defineSignal({
  title: 'The reranker gives other results: a silent swap, or a retriever that feeds it otherwise',
  plots: 'top_score',
  inputs: {
    traces: {
      keys: ['tenant', 'name'],
      measures: ['time_ms', 'candidates'],
      texts: ['id', 'served_by', 'query', 'documents', 'scores'],
      orderBy: ['time_ms', 'id']
    }
  },
  settings: SETTINGS,
  init: createState,
  fold: foldMinute,
  save: saveState,
  restore: restoreState
})
