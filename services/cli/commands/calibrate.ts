import { calibrateLake } from '../../../jobs/detect/calibrate-lake.ts'
import { loadSignals } from '../../signals/load.ts'
import { defineCommand, EXIT } from '../command.ts'
import { openLakeSite } from '../site.ts'

export default defineCommand({
  summary: 'Say how often each signal fires when nothing is wrong, by permuting the last 30 days.',
  configure: (command) => {
    command.requiredOption('--data <dir>', 'folder of the lake')
  },
  run: async ({ options, io }) => {
    const site = await openLakeSite({ data: String(options['data']) })
    try {
      const calibrations = await calibrateLake(site, await loadSignals())
      if (calibrations.length === 0) io.stderr.write('fewer than 8 full days are folded\n')
      for (const { signal, findings, tenantMonths, perTenantMonth, nominal } of calibrations) {
        io.stdout.write(
          options['json'] === true
            ? `${JSON.stringify({ signal, findings, tenant_months: tenantMonths, per_tenant_month: perTenantMonth, nominal })}\n`
            : `${signal}: ${findings} in ${tenantMonths.toFixed(1)} tenant-months, ${perTenantMonth.toFixed(4)} each; promised ${nominal ?? 'nothing'}\n`
        )
      }
      return EXIT.ok
    } finally {
      site.close()
    }
  }
})
