/** One fault of the table in `infra/FAULTS.md`. */
export type Fault = {
  number: number
  fault: string
  /** What the product promises when it happens. */
  promise: string
  /** Tests that inject it: file and the text of the title. Empty = not shown. */
  shown: readonly { file: string; title: string }[]
  /** What the tests leave out. */
  limits?: string
}

const one = (file: string, title: string): Fault['shown'] => [{ file, title }]

const GROUP = 'infra/faults/group.kafka.test.ts'
const RESOURCES = 'infra/faults/resources.system.test.ts'
const NETWORK = 'infra/faults/network.kafka.test.ts'
const BITS = 'infra/faults/flipped-bits.system.test.ts'
const KAFKA = 'infra/faults/kafka.kafka.test.ts'
const STREAM = 'services/stream/kafka/kafka.kafka.test.ts'
const CRASH = 'infra/faults/crash.system.test.ts'
const SIM = 'infra/sim/simulate.test.ts'
const LEADER = 'infra/faults/leader.kafka.test.ts'
const LOST = 'infra/faults/lost-records.system.test.ts'
const HOSTILE = 'infra/faults/hostile.system.test.ts'

/** Faults of systems that meter from a log to tables; numbers are kept for good. */
export const FAULTS: readonly Fault[] = [
  {
    number: 1,
    fault: 'consumer killed at any step',
    promise: 'totals equal the ledger',
    shown: one(CRASH, 'at every step of a flush or of settling')
  },
  {
    number: 2,
    fault: 'zombie writer: stopped past its session, then woken',
    promise: 'its stale rows are never visible',
    shown: [
      { file: GROUP, title: 'share a lake while hours settle, and one sleeps through its session' },
      { file: CRASH, title: 'finds its records landed by another one and leaves its own out' }
    ]
  },
  {
    number: 3,
    fault: 'rebalance storm',
    promise: 'everything is landed once',
    shown: one(STREAM, 'share the partitions, take over from one that leaves'),
    limits: 'members come and go once, not every two seconds; overlapping readers: simulation'
  },
  {
    number: 4,
    fault: 'broker killed and started again',
    promise: 'nothing acknowledged is lost or doubled',
    shown: [
      { file: KAFKA, title: 'while a consumer reads: nothing is lost' },
      { file: STREAM, title: 'killed and started again: nothing acknowledged is lost' }
    ]
  },
  {
    number: 5,
    fault: 'broker hangs',
    promise: 'appends fail in time; what was acknowledged is there',
    shown: one(STREAM, 'that hangs makes appends fail in time')
  },
  {
    number: 6,
    fault: 'broker loses its data and starts empty',
    promise: 'the topic is another one: a gap is said, all of it is landed',
    shown: one(LOST, 'is another log: all of it is landed, from 0 on'),
    limits: 'embedded log; on Kafka only the topic is made anew, not the cluster'
  },
  {
    number: 7,
    fault: 'topic made anew, longer than before',
    promise: 'read from 0 on',
    shown: one(KAFKA, 'longer, under a running consumer')
  },
  {
    number: 8,
    fault: 'topic made anew, shorter than before',
    promise: 'read from 0 on',
    shown: one(KAFKA, 'shorter, while the consumer is away')
  },
  {
    number: 9,
    fault: 'retention passes the consumer',
    promise: 'a gap of exactly the lost offsets',
    shown: one(KAFKA, 'leaves a gap of exactly the offsets that went')
  },
  {
    number: 10,
    fault: 'partitions added',
    promise: 'read from their first record on',
    shown: one(KAFKA, 'are read from their first record on')
  },
  {
    number: 11,
    fault: 'tail of the log cut off',
    promise: 'told by the tail anchor, read again, said in a gap',
    shown: [
      { file: LOST, title: 'is told by its anchor, and read again' },
      { file: LEADER, title: 'is noticed by a reader whose connection never breaks' }
    ],
    limits: 'not told where retention takes the new records too before anybody looks (simulated)'
  },
  {
    number: 12,
    fault: 'flipped bit on the disk of a broker',
    promise: 'one batch in quarantine, neighbours whole',
    shown: one(STREAM, 'a damaged byte on its disk takes out one batch')
  },
  {
    number: 13,
    fault: 'any codec',
    promise: 'all four are read',
    shown: one(STREAM, 'are read in all four codecs')
  },
  {
    number: 14,
    fault: 'batch whose compression is junk',
    promise: 'refused without crash, read on behind it',
    shown: one('services/stream/records/codecs.test.ts', 'refuse junk and cut input'),
    limits: 'brokers of version 4 refuse such batches; the reader is tested without one'
  },
  {
    number: 15,
    fault: 'poison: cut Avro, wrong schema, junk, null',
    promise: 'one row of quarantine each',
    shown: one(HOSTILE, 'becomes one row of quarantine')
  },
  {
    number: 16,
    fault: 'schemas of other versions',
    promise: 'old reads new and new reads old',
    shown: one('schemas/avro/avro.test.ts', 'lets each version read every other')
  },
  {
    number: 17,
    fault: 'duplicates: same partition, other partition, hours apart, other content',
    promise: 'counted once; other content is a conflict',
    shown: [
      { file: CRASH, title: 'at every step of a flush or of settling' },
      {
        file: 'jobs/settle/identity/identity.test.ts',
        title: 'are two calls when their id came again'
      }
    ]
  },
  {
    number: 18,
    fault: 'late and out of order',
    promise: 'the hour settles again; closed months get corrections',
    shown: [
      { file: CRASH, title: 'settle their hour again, whatever was settled before' },
      { file: 'jobs/chargeback/close.test.ts', title: 'is killed anywhere and tried again' }
    ]
  },
  {
    number: 19,
    fault: 'clocks: event times of 1970 and in ten years, host clocks that jump',
    promise: 'quarantined, and no watermark moves; time in the log never runs back',
    shown: [
      { file: HOSTILE, title: 'becomes one row of quarantine' },
      { file: SIM, title: 'keeps every promise under' }
    ]
  },
  {
    number: 20,
    fault: 'disk full',
    promise: 'work waits and goes on; offsets do not move',
    shown: one(SIM, 'keeps every promise under'),
    limits: 'simulated disk; on a real one only the lake alone (services/lake)'
  },
  {
    number: 21,
    fault: 'killed while a file is written',
    promise: 'no reader sees it',
    shown: one(CRASH, 'at every step of a flush or of settling'),
    limits: 'killed between the steps of a write, not inside DuckDB'
  },
  {
    number: 22,
    fault: 'power loss: what was not synced goes',
    promise: 'no commit that was told is taken back',
    shown: one(SIM, 'keeps every promise under'),
    limits: 'simulated disk'
  },
  {
    number: 23,
    fault: 'flipped bits in files of the lake, and in its logs',
    promise: 'the scrub names the file and the range to replay, and mends it byte for byte',
    shown: [
      { file: BITS, title: 'are found, each in its file, and mended byte for byte' },
      { file: BITS, title: 'is landed again from the ranges that are told' },
      {
        file: 'services/lake/retain.test.ts',
        title: 'the scrub names missing, cut and changed files'
      }
    ]
  },
  {
    number: 24,
    fault: 'no permission, read-only, no handles, slow disk',
    promise: 'a clear error, offsets do not move, the rest is landed later',
    shown: [
      { file: RESOURCES, title: 'ends the consumer with a clear error, moves nothing' },
      { file: RESOURCES, title: 'says so, moves nothing, and the next one lands the rest' }
    ],
    limits: 'a slow disk only as a stopped process'
  },
  {
    number: 25,
    fault: 'second writer on one folder',
    promise: 'both may write: the commit decides',
    shown: one('services/lake/lake.test.ts', 'a writer that loses the race builds again')
  },
  {
    number: 26,
    fault: 'hot partition',
    promise: 'the events of other partitions are landed while it lags',
    shown: one(NETWORK, 'does not hold the others back'),
    limits: 'findings of a minute wait until every partition has passed it'
  },
  {
    number: 27,
    fault: 'records at the bound of size',
    promise: 'taken, or one row of quarantine; memory bounded',
    shown: one(HOSTILE, 'becomes one row of quarantine'),
    limits: '1 MB; no fetch of 50 MB'
  },
  {
    number: 28,
    fault: 'decompression bomb of 1 GB',
    promise: 'one row of quarantine, bounded memory',
    shown: one(KAFKA, 'becomes one row of quarantine')
  },
  {
    number: 29,
    fault: 'out of memory',
    promise: 'the process ends, the next one starts clean',
    shown: one(RESOURCES, 'in the middle of its work is ended, and the next one starts clean')
  },
  {
    number: 30,
    fault: 'open transaction of some producer',
    promise: 'the end is held back; reading goes on after it',
    shown: one(STREAM, 'of aborted transactions are left out, and an open one holds the end back'),
    limits: 'no alarm of its own: the lag shows it'
  },
  {
    number: 31,
    fault: 'aborted transactions, control records',
    promise: 'left out; ranges stay without holes',
    shown: one(STREAM, 'of aborted transactions are left out')
  },
  {
    number: 32,
    fault: 'group offsets deleted or set by an operator',
    promise: 'move nothing: the lake knows',
    shown: one(KAFKA, 'move nothing: the lake knows where it stands')
  },
  {
    number: 33,
    fault: 'lake restored from an older copy',
    promise: 'reads on from its own offsets, or a gap says why not',
    shown: [
      { file: RESOURCES, title: 'reads on from where the copy stands' },
      { file: RESOURCES, title: 'says in a gap which offsets the log no longer holds' }
    ]
  },
  {
    number: 34,
    fault: 'jobs poked twice, killed midway',
    promise: 'the same result',
    shown: one('jobs/chargeback/close.test.ts', 'is killed anywhere and tried again'),
    limits: 'no change of summer time: jobs know UTC alone'
  },
  {
    number: 35,
    fault: 'receiver of alerts down, slow, failing',
    promise: 'told once it is back, nothing twice',
    shown: one(
      'jobs/alert/delivery/deliver-events.test.ts',
      'loses and repeats nothing under 500s, time-outs'
    )
  },
  {
    number: 36,
    fault: 'two builds in one group',
    promise: 'generations do not mix in a file; sums are exact',
    shown: one(GROUP, 'take over from one another, and no file holds rows of both')
  },
  {
    number: 37,
    fault: 'network cut, half open, byte by byte',
    promise: 'reading and appending go on afterwards',
    shown: one(NETWORK, 'that is cut, half open and slow')
  }
]
