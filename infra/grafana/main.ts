import { writeFile } from 'node:fs/promises'
import { dashboardFiles } from './dashboard-files.ts'

/** Writes the dashboards: run it after a signal came, went or changed its panel. */
for (const [name, text] of await dashboardFiles()) {
  await writeFile(new URL(`dashboards/${name}`, import.meta.url), text)
}
