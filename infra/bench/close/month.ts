/** The month that is generated; before it ends, its hours are open and a close is refused. */
export const MONTH = '2026-10'
