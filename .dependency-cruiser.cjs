// The order of the product: think hard before changing this file. A layer imports from those
// above it; folders that share a line don't know each other.
const layers = [
  ['schemas'],
  ['services/rates'],
  ['services/signals'],
  ['services/stream', 'services/lake', 'services/flight'],
  ['services/collect', 'services/consume', 'services/serve'],
  ['services/client'],
  [
    'jobs/settle',
    'jobs/energy',
    'jobs/detect',
    'jobs/alert',
    'jobs/reconcile',
    'jobs/chargeback',
    'jobs/retain'
  ],
  ['services/cli'],
  ['infra']
]

const TEST = '([.]test|test-cluster)[.]ts$'
// The last layer may import everything.
const oneWay = layers.slice(0, -1).flatMap((layer, depth) =>
  layer.map((from) => ({
    name: `one-way:${from}`,
    comment: 'Imports point up the list of layers, never down, never sideways.',
    severity: 'error',
    from: { path: `^${from}/`, pathNot: TEST },
    to: {
      path: layers
        .slice(depth)
        .flat()
        .filter((to) => to !== from)
        .map((to) => `^${to}/`)
    }
  }))
)

const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to })

// Each outside world has one door; tests may look behind it.
const onlyIn = (package_, door) =>
  forbid(
    `${package_}-only-in-${door}`,
    `Everybody else goes through ${door}.`,
    { pathNot: [`^${door}`, TEST] },
    { path: `node_modules/${package_}/` }
  )

// A folder of a socket stands alone, so that it can be added and removed without another edit.
const standAlone = (socket) =>
  forbid(
    `alone:${socket}`,
    'What two of them need belongs beside the socket, not inside one of them.',
    { path: `^${socket}/([^/]+)/` },
    { path: `^${socket}/[^/]+/`, pathNot: `^${socket}/$1/` }
  )

const implementsPort = (socket, file, port) => ({
  name: `port:${socket}`,
  severity: 'error',
  module: { path: `^${socket}/[^/]+/${file}$` },
  to: { path: `^${port}$` }
})

module.exports = {
  forbidden: [
    ...oneWay,
    onlyIn('kafkajs', 'services/stream/'),
    onlyIn('lmdb', 'services/stream/'),
    onlyIn('@duckdb/node-api', 'services/lake/'),
    onlyIn('@duckdb/node-bindings', 'services/lake/'),
    onlyIn('node-cron', 'jobs/schedule.ts'),
    standAlone('jobs/alert/channels'),
    standAlone('services/collect/sources'),
    forbid(
      'alone:services/signals',
      'Signals share statistics and nothing else.',
      { path: '^services/signals/([^/]+)/' },
      { path: '^services/signals/[^/]+/', pathNot: '^services/signals/($1|statistics)/' }
    ),
    forbid(
      'signals-are-pure',
      'A signal decides over what it is given; it reads nothing.',
      { path: '^services/signals/[^/]+/', pathNot: TEST },
      { dependencyTypes: ['core', 'npm'], pathNot: 'node_modules/zod/' }
    ),
    forbid(
      'no-circular',
      'A cycle is one module in several files. Types may point back: they are gone at run time.',
      {},
      { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } }
    ),
    forbid('no-unresolvable', 'The file is not there.', {}, { couldNotResolve: true }),
    forbid('no-tests-in-product', 'Tests are for tests.', { pathNot: TEST }, { path: TEST })
  ],
  required: [
    implementsPort('services/signals', 'signal[.]ts', 'services/signals/define[.]ts'),
    implementsPort('jobs/alert/channels', 'channel[.]ts', 'jobs/alert/channel[.]ts')
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)fixtures/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      mainFields: ['module', 'main', 'types']
    }
  }
}
