import { one, type Fault } from './fault.ts'

/** Faults of jobs and of receivers of alerts. */
export const JOBS_FAULTS: readonly Fault[] = [
  {
    number: 34,
    fault: 'jobs poked twice, killed midway',
    injected:
      'storage that dies at every fifth step of a close (every one in `make prove`), then the close again',
    promise: 'the same result',
    shown: one('jobs/chargeback/close.test.ts', 'is killed anywhere and tried again'),
    limits: 'no change of summer time: jobs know UTC alone'
  },
  {
    number: 35,
    fault: 'receiver of alerts down, slow, failing',
    injected:
      'a local receiver that answers 500, 503, 429 and 408 and cuts connections, in an order that the seed draws',
    promise: 'told once it is back, nothing twice',
    shown: one(
      'jobs/alert/delivery/deliver-events.test.ts',
      'loses and repeats nothing under 500s, time-outs'
    )
  }
]
