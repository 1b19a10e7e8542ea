import { settleNextHour, writeSettledLake } from './settled-lake.ts'

/** Arguments: a lake's folder, its calls in thirty days, and `hour` to settle one more of them. */
const [dir = '', calls = '', what = ''] = process.argv.slice(2)
await (what === 'hour' ? settleNextHour : writeSettledLake)(dir, Number(calls))
