import { CRASH, HOSTILE, KAFKA, NETWORK, SIM, STREAM, one, type Fault } from './fault.ts'

/** Faults in what is sent. */
export const RECORDS_FAULTS: readonly Fault[] = [
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
  }
]
