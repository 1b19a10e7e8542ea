import { operationDashboard } from './operation-dashboard.ts'
import { signalDashboard } from './signal-dashboard.ts'

/** Every dashboard by the name of its file, as text. */
export const dashboardFiles = async (): Promise<[string, string][]> => [
  ['operation.json', `${JSON.stringify(operationDashboard(), null, 2)}\n`],
  ['signals.json', `${JSON.stringify(await signalDashboard(), null, 2)}\n`]
]
