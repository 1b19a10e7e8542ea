import { scoreCacheThrash } from './cache-thrash.ts'

/** Prints the operating figures; SCORE_TENANTS, SCORE_DAYS, SCORE_INCIDENTS, SCORE_NIGHTS size it. */
const sized = (name: string, usual: number): number => Number(process.env[name] ?? usual)

const sections = scoreCacheThrash({
  tenants: sized('SCORE_TENANTS', 300),
  days: sized('SCORE_DAYS', 30),
  incidents: sized('SCORE_INCIDENTS', 25),
  nights: sized('SCORE_NIGHTS', 40)
})
for (const section of sections) process.stdout.write(`${section}\n\n`)
