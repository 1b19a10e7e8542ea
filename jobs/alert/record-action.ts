import { IncidentAction, INCIDENT_SEQUENCE_KEY, nextSequence } from '../../schemas/incidents.ts'
import { Failure } from '../../schemas/failure.ts'
import { readFold } from './step.ts'
import type { AlertStore } from './store.ts'

/** A mute without an end is forgotten; four weeks is as long as anybody remembers why. */
const MUTE_MS_MAX = 28 * 86_400_000

/** Gives what an operator does its place in the order; the next fold acts on it. */
export const recordAction = async (
  store: AlertStore,
  action: IncidentAction
): Promise<{ sequence: number }> => {
  const checked = IncidentAction.parse(action)
  checkMute(checked)
  if (checked.action === 'acknowledge') await checkKnown(store, checked)
  let sequence = 0
  await store.commit((state) => {
    sequence = nextSequence(state)
    return {
      state: { [INCIDENT_SEQUENCE_KEY]: sequence + 1 },
      actions: [{ ...checked, sequence }]
    }
  })
  return { sequence }
}

const checkMute = ({ action, at, until, fingerprint, tenant, signal }: IncidentAction): void => {
  if (action === 'acknowledge') return
  if (fingerprint === null && tenant === null && signal === null) {
    throw new Failure('E_USAGE', `${action} needs a target`, {
      hint: 'Name a fingerprint, --tenant or --signal.'
    })
  }
  if (action !== 'mute') return
  const lastsMs = until === null ? Infinity : Date.parse(until) - Date.parse(at)
  if (lastsMs > 0 && lastsMs <= MUTE_MS_MAX) return
  throw new Failure('E_USAGE', `A mute until ${until ?? 'for ever'} is not possible`, {
    hint: 'Give --until a time in the next four weeks.'
  })
}

/** A mistyped fingerprint must not pass for an acknowledgement. */
const checkKnown = async (store: AlertStore, { fingerprint }: IncidentAction): Promise<void> => {
  const { incidents } = readFold(await store.state())
  if (incidents.some((incident) => incident.fingerprint === fingerprint)) return
  const open = incidents.filter(({ status }) => status !== 'resolved')
  throw new Failure('E_USAGE', `There is no incident ${fingerprint ?? ''}`, {
    hint: `Open: ${open.map((incident) => incident.fingerprint).join(', ') || 'none'}`
  })
}
