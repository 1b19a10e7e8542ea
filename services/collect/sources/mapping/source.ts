import { EVENT_FIELDS } from '../../../../schemas/event-fields.ts'
import { Failure } from '../../../../schemas/failure.ts'
import { loadMap } from '../../mapping/load-map.ts'
import { readMapped } from '../../mapping/read-mapped.ts'
import { jsonItems } from '../json-items.ts'
import { defineSource, type Message } from '../source.ts'

const unconfigured = (): never => {
  throw new Failure('E_USAGE', 'the dialect mapping needs the option map')
}

const mapping = defineSource({
  title: 'Any JSON, by a mapping file',
  about:
    'JSON of any shape, read by a YAML file that says which of its paths fill which native ' +
    'fields (`tally ingest --map map.yaml`): constants, units of time, factors, translated words.',
  doors: [],
  handling: 'lenient',
  framing: 'lines',
  tells: EVENT_FIELDS.map(({ path }) => path),
  options: { map: { about: 'YAML file that maps paths to native fields', required: true } },
  configure: async ({ map: file = '' }) => {
    const map = await loadMap(file)
    return { ...mapping, read: (message: Message) => readMapped(jsonItems(message), map) }
  },
  read: unconfigured
})

export default mapping
