import { CRASH, GROUP, RESOURCES, STREAM, one, type Fault } from './fault.ts'

/** Faults of consumers and of their group. */
export const CONSUMERS_FAULTS: readonly Fault[] = [
  {
    number: 1,
    fault: 'consumer killed at any step',
    injected: 'SIGKILL of the process at 10 steps of its flushes and at 6 of settling',
    promise: 'totals equal the ledger',
    shown: one(CRASH, 'at every step of a flush or of settling')
  },
  {
    number: 2,
    fault: 'zombie writer: stopped past its session, then woken',
    injected:
      'SIGSTOP for longer than a session of 4 s, SIGCONT once another member has landed its partitions; SIGSTOP with rows in memory, SIGCONT once they are landed',
    promise: 'its stale rows are never visible',
    shown: [
      { file: GROUP, title: 'share a lake while hours settle, and one sleeps through its session' },
      { file: CRASH, title: 'finds its records landed by another one and leaves its own out' }
    ]
  },
  {
    number: 3,
    fault: 'rebalance storm',
    injected:
      'a member joins a group and leaves it; then 14 changes, one every 2 s: a process starts, or ends by SIGTERM or SIGKILL',
    promise: 'everything is landed once',
    shown: [
      { file: STREAM, title: 'share the partitions, take over from one that leaves' },
      {
        file: 'infra/faults/storm.kafka.test.ts',
        title: 'of members that come and go every two seconds, under load'
      }
    ]
  },
  {
    number: 25,
    fault: 'second writer on one folder',
    injected: "another writer commits between a writer's look at the head and its commit",
    promise: 'both may write: the commit decides',
    shown: one('services/lake/lake.test.ts', 'a writer that loses the race builds again')
  },
  {
    number: 29,
    fault: 'out of memory',
    injected:
      'the limit on memory put at what the process has (prlimit), then 20,000 events for one flush',
    promise: 'the process ends, the next one starts clean',
    shown: one(RESOURCES, 'in the middle of its work is ended, and the next one starts clean')
  },
  {
    number: 36,
    fault: 'two builds in one group',
    injected:
      'a process of this build and one whose rows name another generation, in one group; the first leaves',
    promise: 'generations do not mix in a file; sums are exact',
    shown: one(GROUP, 'take over from one another, and no file holds rows of both'),
    limits: 'the other build is this code under another name'
  }
]
