import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { LATENESS_MS } from '../../../jobs/detect/watermark.ts'
import { openReceiver, type Receiver } from '../../../jobs/alert/receiver.ts'
import { Latencies } from './latencies.ts'

const DETECTED_AT = /"detected_at":"([^"]+)"/
const TENANT = /"tenant":"looping-([^"]+)"/
const SECRET_BYTES = 32

/** Alerts of the loops as a webhook takes them: how long after their window closed. */
export type AlertWatch = {
  latencies: Latencies
  /** Path of the settings that send alerts here. */
  config: string
  close: () => Promise<void>
}

/** A window closes at its end and the lateness that it waits for. */
export const watchAlerts = async (folder: string): Promise<AlertWatch> => {
  const latencies = new Latencies()
  const seen = new Set<string>()
  const receiver: Receiver = await openReceiver((_, { body }) => {
    const detected = DETECTED_AT.exec(body)?.[1]
    const tenant = TENANT.exec(body)?.[1]
    if (detected !== undefined && tenant !== undefined && !seen.has(tenant)) {
      seen.add(tenant)
      latencies.add(Date.now() - Date.parse(detected) - LATENESS_MS)
    }
    return { status: 200 }
  })
  const secret = path.join(folder, 'webhook-secret')
  await writeFile(secret, `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`)
  const config = path.join(folder, 'alerts.yaml')
  const channel = { name: 'bench', kind: 'webhook', url: receiver.url, secret_file: secret }
  // JSON is YAML.
  await writeFile(config, JSON.stringify({ channels: [channel] }))
  return { latencies, config, close: () => receiver.close() }
}
