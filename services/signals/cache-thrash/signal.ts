import { defineSignal } from '../define.ts'
import { foldMinute } from './fold.ts'
import { SETTINGS } from './settings.ts'
import { createState, restoreState, saveState } from './state.ts'

export default defineSignal({
  title: 'The prompt cache stops serving: who broke it, who suffers, what it costs',
  plots: 'hit_rate_pct',
  inputs: {
    window: {
      keys: ['tenant', 'provider', 'model', 'route', 'cache_pool'],
      measures: ['n', 'null_n', 'w', 'h', 'ww', 'x_ppm', 'writes', 'cost_pico']
    },
    prefixes: {
      keys: ['tenant', 'provider', 'cache_pool'],
      measures: ['block_tokens', 'n', 'in_total', 'in_cache_read', 'first_ms', 'last_ms'],
      texts: ['ladder'],
      orderBy: ['first_ms', 'tenant', 'ladder', 'provider', 'cache_pool']
    }
  },
  settings: SETTINGS,
  init: createState,
  fold: foldMinute,
  save: saveState,
  restore: restoreState
})
