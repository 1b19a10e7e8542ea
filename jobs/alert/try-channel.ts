import { Failure } from '../../schemas/failure.ts'
import type { Notice } from '../../schemas/incidents.ts'
import type { ChannelDoors, Outcome, Sender } from './channel.ts'
import { checkEntries, type AlertConfig } from './config.ts'
import { linkBook } from './links.ts'
import { loadChannels } from './load-channels.ts'
import { sampleFinding } from './sample.ts'

/**
 * Sends one sample alert to a channel of the configuration, past the outbox, and says what became
 * of it. Where states are told, the sample is told as resolved so that nothing stays behind.
 */
export const tryChannel = async (
  name: string,
  config: AlertConfig,
  doors: ChannelDoors
): Promise<Outcome> => {
  const kinds = await loadChannels()
  const entry = checkEntries(config, kinds).find((one) => one.name === name)
  const channel = entry === undefined ? undefined : kinds.get(entry.kind)
  if (entry === undefined || channel === undefined) {
    throw new Failure('E_USAGE', `There is no channel ${name}`, {
      hint: `Known channels: ${config.channels.map((one) => one.name).join(', ') || 'none'}`
    })
  }
  return sendSample(channel.open(entry.options, doors), config, doors)
}

const sendSample = (sender: Sender, config: AlertConfig, doors: ChannelDoors): Promise<Outcome> => {
  const now = doors.clock()
  const finding = sampleFinding({ signal: 'trial', fingerprint: 'trial', severity: 'info' })
  const links = linkBook(config.page_url)(finding)
  const { signal } = new AbortController()
  if (sender.mode === 'events') {
    return sender.send({ notice: sampleNotice(now), finding, links }, signal)
  }
  const { fingerprint, tenant, severity } = finding
  const ended = { severitiesEnded: [], status: 'resolved' as const, changedClockMs: now.getTime() }
  return sender.send(
    [{ fingerprint, signal: finding.signal, tenant, severity, ...ended, finding, links }],
    signal
  )
}

/** Each trial is news to the receiver. */
const sampleNotice = (now: Date): Notice => ({
  number: 1,
  id: `msg_trial_${now.getTime()}`,
  at: now.toISOString(),
  kind: 'opened',
  withheld: null,
  fingerprint: 'trial',
  episode: 1,
  sequence: 1,
  signal: 'trial',
  tenant: 'tenant-b',
  severity: 'info'
})
