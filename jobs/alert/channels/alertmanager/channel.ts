import { z } from 'zod'
import { defineChannel, type ChannelDoors, type Outcome, type Standing } from '../../channel.ts'
import { post } from '../../delivery/post.ts'
import { alertsOf } from './alert.ts'

/** Alertmanager asks clients to repeat what fires every half to three minutes. */
const REFRESH_SECONDS = 60
/** A resolved alert is repeated for five minutes, in case the first telling was lost on its side. */
const RESOLVED_MS = 300_000
/**
 * How long Alertmanager believes a firing alert that it no longer hears of. A day: our own silence
 * must not look like recovery; that we are silent is for a dead man's switch to say.
 */
const BELIEVED_SECONDS = 86_400
/** Alerts per request: some hundred KB as a rule, well below what proxies let through. */
const BATCH_MAX = 100

/** Alertmanager sets no limit; a hundred alerts of this size still fit proxies' 10 MB. */
const ALERT_BYTES_MAX = 100_000

const Config = z.strictObject({
  url: z.url({ protocol: /^https?$/ }),
  refresh_seconds: z.int().min(1).max(180).default(REFRESH_SECONDS),
  believed_seconds: z.int().min(600).default(BELIEVED_SECONDS),
  /** Added to every alert's labels, to tell installations apart. */
  labels: z.record(z.string().regex(/^[a-zA-Z_]\w*$/), z.string()).default({}),
  /** A file with `Bearer …` or `Basic …`, for an Alertmanager behind a proxy. */
  authorization_file: z.string().optional()
})
type Config = z.infer<typeof Config>

export default defineChannel({
  title: 'Prometheus Alertmanager, API v2',
  config: Config,
  bytesMax: ALERT_BYTES_MAX,
  open: (config, doors) => ({
    mode: 'states',
    refreshMs: config.refresh_seconds * 1_000,
    resolvedMs: RESOLVED_MS,
    batchMax: BATCH_MAX,
    send: (standings, signal) => send(config, doors, standings, signal)
  })
})

const send = async (
  config: Config,
  doors: ChannelDoors,
  standings: readonly Standing[],
  signal: AbortSignal
): Promise<Outcome> => {
  const believedUntilMs = doors.clock().getTime() + config.believed_seconds * 1_000
  const alerts = standings.flatMap((standing) => alertsOf(standing, config.labels, believedUntilMs))
  const headers =
    config.authorization_file === undefined
      ? {}
      : { authorization: (await doors.readSecret(config.authorization_file)).trim() }
  const url = `${config.url.replace(/\/+$/, '')}/api/v2/alerts`
  return post(doors, { url, body: JSON.stringify(alerts), headers, signal })
}
