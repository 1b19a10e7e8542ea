import { WINDOW_DIMENSIONS } from '../../../schemas/windows.ts'

export type Dimension = { id: string; title: string; sql: string }

/** What the cube can be divided by. */
export const EXPLORE_DIMENSIONS: readonly Dimension[] = [
  {
    id: 'model',
    title: 'Model that served, or was asked for where the answer does not say.',
    sql: 'coalesce(response_model, request_model)'
  },
  ...WINDOW_DIMENSIONS.map(({ name, comment }) => ({ id: name, title: comment, sql: `"${name}"` }))
]
