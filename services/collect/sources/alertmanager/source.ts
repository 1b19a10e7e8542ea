import { contentHash } from '../../content-hash.ts'
import { faultAt } from '../../fault.ts'
import { isJsonObject, textIn, valueIn, type JsonObject } from '../../json-value.ts'
import { jsonItems } from '../json-items.ts'
import { defineSource, type Candidate, type Message, type Reading } from '../source.ts'

/** Labels and annotations that say where to look; under the names that signals know. */
const TOLD = ['severity', 'axis', 'contributors', 'service', 'summary'] as const
/** Longest text of a label that is kept. */
const TEXT_MAX = 500

/** Receivers send every alert of a group again; one event per alert and status is enough. */
const read = (message: Message): Reading => {
  const { items, faults } = jsonItems(message)
  const reading: Reading = { items: [], faults, ignored: 0 }
  for (const { index, at, value } of items) {
    const alerts = valueIn(value, 'alerts')
    if (!isJsonObject(value) || !Array.isArray(alerts)) {
      const told = 'no Alertmanager webhook: an object with a list "alerts" is expected'
      reading.faults.push(faultAt({ index, at }, { code: 'E_EVENT_INVALID', message: told, value }))
      continue
    }
    for (const [place, alert] of alerts.entries()) {
      const item = { index, at: `${at}.alerts[${place}]` }
      if (isJsonObject(alert)) reading.items.push({ ...item, event: alertEvent(alert, message) })
      else {
        const told = 'an alert must be an object'
        reading.faults.push(faultAt(item, { code: 'E_EVENT_INVALID', message: told, value: alert }))
      }
    }
  }
  return reading
}

const alertEvent = (alert: JsonObject, message: Message): Candidate => {
  const status = textIn(alert, 'status') === 'resolved' ? 'resolved' : 'firing'
  const time = textIn(alert, status === 'resolved' ? 'endsAt' : 'startsAt')
  const fingerprint = textIn(alert, 'fingerprint') ?? contentHash(valueIn(alert, 'labels'))
  return {
    id: `${fingerprint}-${status}-${time ?? 'never'}`,
    source: 'alertmanager',
    time: time ?? undefined,
    tenant: toldBy(alert, 'tenant') ?? message.tenant ?? 'unknown',
    kind: 'evaluation',
    name: toldBy(alert, 'alertname') ?? 'unnamed',
    judge: 'alertmanager',
    tags: { fingerprint, status, ...toldTags(alert) }
  }
}

const toldBy = (alert: JsonObject, name: string): string | null =>
  textIn(alert, 'labels', name) ?? textIn(alert, 'annotations', name)

const toldTags = (alert: JsonObject): Record<string, string> => {
  const told = TOLD.map((name) => [name, toldBy(alert, name)] as const)
  const runbook = toldBy(alert, 'runbook_url') ?? toldBy(alert, 'runbook')
  return Object.fromEntries(
    [...told, ['runbook_url', runbook] as const]
      .filter((entry): entry is [(typeof entry)[0], string] => entry[1] !== null)
      .map(([name, text]) => [name, text.slice(0, TEXT_MAX)])
  )
}

/** Alerts of others, as the webhook of an Alertmanager posts them. */
export default defineSource({
  title: 'Alertmanager webhook',
  about:
    'Alerts of Prometheus and of whatever speaks its webhook (Grafana, Mimir). Point ' +
    '`webhook_configs` at /v1/sources/alertmanager with the API key, and set `group_wait: 0s`: an ' +
    'alert that comes half a minute late finds its minute closed. Each becomes an event of kind ' +
    'evaluation; blind-alerts works out the axis of those that name none. The label `tenant` says ' +
    'whose it is.',
  doors: [],
  handling: 'lenient',
  framing: 'lines',
  tells: 'id source time tenant kind name judge tags'.split(' '),
  read
})
