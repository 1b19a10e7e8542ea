import { SUMMER, type Fault } from './fault.ts'

const DELIVERY = 'jobs/alert/delivery/deliver-events.test.ts'

/** Faults of jobs and of receivers of alerts. */
export const JOBS_FAULTS: readonly Fault[] = [
  {
    number: 34,
    fault: 'jobs poked twice, killed midway, over a change of summer time',
    injected:
      'storage that dies at every fifth step of a close (every one in `make prove`), then the close again; March and October 2026 settled and closed in processes of Europe/Berlin and of UTC; a clock that goes through both days there, a minute at a time',
    promise: 'the same result',
    shown: [
      { file: 'jobs/chargeback/close.test.ts', title: 'is killed anywhere and tried again' },
      { file: SUMMER, title: 'changes no byte of its manifest' },
      { file: SUMMER, title: 'makes no job run twice, and leaves none out' },
      { file: 'jobs/schedule.test.ts', title: 'make exactly one more, however many they are' }
    ]
  },
  {
    number: 35,
    fault: 'receiver of alerts down, slow, failing',
    injected:
      'a local receiver that answers 500, 503, 429 and 408 and cuts connections, in an order that the seed draws; one that is down for all, one that is gone, one that never answers; a kill between sending and keeping the place',
    promise: 'told once it is back, the others at once; what is sent again has the same id',
    shown: [
      { file: DELIVERY, title: 'loses and repeats nothing under 500s, time-outs' },
      { file: DELIVERY, title: 'tells nothing twice after a kill between sending and keeping' },
      { file: DELIVERY, title: 'parks nothing while the receiver is down for everything' },
      {
        file: 'jobs/alert/delivery/lane.test.ts',
        title: 'a dead and a hanging receiver delay nobody else'
      }
    ]
  }
]
