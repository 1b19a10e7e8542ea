import { KAFKA, LEADER, LOST, NETWORK, RESOURCES, STREAM, one, type Fault } from './fault.ts'

/** Faults of the log: broker, topics, offsets, network. */
export const LOG_FAULTS: readonly Fault[] = [
  {
    number: 4,
    fault: 'broker killed and started again',
    injected: 'SIGKILL of the broker and a restart, under a consumer and amid appends',
    promise: 'nothing acknowledged is lost or doubled',
    shown: [
      { file: KAFKA, title: 'while a consumer reads: nothing is lost' },
      { file: STREAM, title: 'killed and started again: nothing acknowledged is lost' }
    ]
  },
  {
    number: 5,
    fault: 'broker hangs',
    injected: 'SIGSTOP of the broker, for an append that may take 800 ms',
    promise: 'appends fail in time; what was acknowledged is there',
    shown: one(STREAM, 'that hangs makes appends fail in time')
  },
  {
    number: 6,
    fault: 'broker loses its data and starts empty',
    injected:
      'the broker killed, its records deleted, started again as another cluster; in the embedded log, a topic made anew and refilled between two looks',
    promise: 'the topic is another one: a gap is said, all of it is landed',
    shown: [
      { file: KAFKA, title: 'and starts empty, as another cluster, leaves a gap' },
      { file: LOST, title: 'is another log: all of it is landed, from 0 on' }
    ]
  },
  {
    number: 7,
    fault: 'topic made anew, longer than before',
    injected: 'topic deleted and made anew under a running consumer, 900 records after 300',
    promise: 'read from 0 on',
    shown: one(KAFKA, 'longer, under a running consumer')
  },
  {
    number: 8,
    fault: 'topic made anew, shorter than before',
    injected: 'topic deleted and made anew while the consumer is away, 200 records after 800',
    promise: 'read from 0 on',
    shown: one(KAFKA, 'shorter, while the consumer is away')
  },
  {
    number: 9,
    fault: 'retention passes the consumer',
    injected: 'records deleted in the broker, to 70 offsets past where the consumer stands',
    promise: 'a gap of exactly the lost offsets',
    shown: one(KAFKA, 'leaves a gap of exactly the offsets that went')
  },
  {
    number: 10,
    fault: 'partitions added',
    injected: '4 partitions made 7 under a running consumer',
    promise: 'read from their first record on',
    shown: one(KAFKA, 'are read from their first record on')
  },
  {
    number: 11,
    fault: 'tail of the log cut off',
    injected:
      'the embedded log put back from a copy that lacks 400 records, with and without others in their place; in three nodes, the replica out of sync made leader while SIGSTOP holds the old one',
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
    injected: "one byte overwritten in the broker's log file",
    promise: 'one batch in quarantine, neighbours whole',
    shown: one(STREAM, 'a damaged byte on its disk takes out one batch')
  },
  {
    number: 30,
    fault: 'open transaction of some producer',
    injected: 'a transaction of another producer left open, with a record behind it; aborted later',
    promise: 'the end is held back, and told; reading goes on after it',
    shown: [
      {
        file: STREAM,
        title: 'of aborted transactions are left out, and an open one holds the end back'
      },
      {
        file: 'services/cli/doctor/log-checks.test.ts',
        title: 'an open transaction that holds the end back is told'
      }
    ]
  },
  {
    number: 31,
    fault: 'aborted transactions, control records',
    injected: 'transactions of another producer, committed and aborted in turn',
    promise: 'left out; ranges stay without holes',
    shown: one(STREAM, 'of aborted transactions are left out')
  },
  {
    number: 32,
    fault: 'group offsets deleted or set by an operator',
    injected: "the group's offsets set to the end, then to 0; then the group deleted",
    promise: 'move nothing: the lake knows',
    shown: one(KAFKA, 'move nothing: the lake knows where it stands')
  },
  {
    number: 33,
    fault: 'lake restored from an older copy',
    injected:
      "the lake's folder replaced by an older copy; then, too, the log trimmed to 40 offsets past it",
    promise: 'reads on from its own offsets, or a gap says why not',
    shown: [
      { file: RESOURCES, title: 'reads on from where the copy stands' },
      { file: RESOURCES, title: 'says in a gap which offsets the log no longer holds' }
    ]
  },
  {
    number: 37,
    fault: 'network cut, half open, byte by byte',
    injected:
      'a TCP proxy before the broker that resets all connections five times, hands on one byte at a time, and swallows what it gets',
    promise: 'reading and appending go on afterwards',
    shown: one(NETWORK, 'that is cut, half open and slow')
  }
]
