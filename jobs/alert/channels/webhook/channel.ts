import { z } from 'zod'
import { defineChannel, type ChannelDoors, type Notification, type Outcome } from '../../channel.ts'
import { post } from '../../delivery/post.ts'
import { notificationText } from '../../notification-text.ts'
import { readKey, sign } from './signature.ts'

/** Standard Webhooks asks for bodies below 20 KB. */
const BODY_BYTES_MAX = 20_000

const Config = z.strictObject({
  url: z.url({ protocol: /^https?$/ }),
  /** A file with `whsec_…`: 24 to 64 bytes in base64. */
  secret_file: z.string().min(1)
})
type Config = z.infer<typeof Config>

export default defineChannel({
  title: 'Webhook, signed after Standard Webhooks 1.0',
  config: Config,
  bytesMax: BODY_BYTES_MAX,
  open: (config, doors) => ({
    mode: 'events',
    send: (notification, signal) => send(config, doors, notification, signal)
  })
})

const send = async (
  config: Config,
  doors: ChannelDoors,
  notification: Notification,
  signal: AbortSignal
): Promise<Outcome> => {
  const key = readKey(await doors.readSecret(config.secret_file), config.secret_file)
  const { id, kind, at } = notification.notice
  // The timestamp is the notice's, so that a retry has the same body.
  const body = notificationText(notification, BODY_BYTES_MAX, (data) => ({
    type: `incident.${kind}`,
    timestamp: at,
    data
  }))
  const timestamp = Math.floor(doors.clock().getTime() / 1_000)
  const headers = {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': sign(key, { id, timestamp, body })
  }
  return post(doors, { url: config.url, body, headers, signal })
}
