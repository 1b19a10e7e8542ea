import { CRASH, HOSTILE, KAFKA, NETWORK, SIM, STREAM, one, type Fault } from './fault.ts'

/** Faults in what is sent. */
export const RECORDS_FAULTS: readonly Fault[] = [
  {
    number: 13,
    fault: 'any codec',
    injected: 'topics whose broker compresses with gzip, snappy, lz4 and zstd in turn',
    promise: 'all four are read',
    shown: one(STREAM, 'are read in all four codecs')
  },
  {
    number: 14,
    fault: 'batch whose compression is junk',
    injected:
      'compressed input of lz4, zstd and snappy cut at each of its first 60 bytes, and each of its first 200 bytes changed',
    promise: 'refused without crash, read on behind it',
    shown: one('services/stream/records/codecs.test.ts', 'refuse junk and cut input'),
    limits: 'brokers of version 4 refuse such batches; the reader is tested without one'
  },
  {
    number: 15,
    fault: 'poison: cut Avro, wrong schema, junk, null',
    injected: '29 bad records, each between two good ones of one partition',
    promise: 'one row of quarantine each',
    shown: one(HOSTILE, 'becomes one row of quarantine')
  },
  {
    number: 16,
    fault: 'schemas of other versions',
    injected:
      'values of every known schema, and of a reduced one, written by each and read by each',
    promise: 'old reads new and new reads old',
    shown: one('schemas/avro/avro.test.ts', 'lets each version read every other')
  },
  {
    number: 17,
    fault: 'duplicates: same partition, other partition, hours apart, other content',
    injected:
      'a tenth of the events sent twice, half of those by another partition, 2 % again with other content; an id that comes again after 34 days',
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
    injected:
      'events up to 10 minutes out of order; 500 that come after their hours settled, twice; 50 that come after their month closed',
    promise: 'the hour settles again; closed months get corrections',
    shown: [
      { file: CRASH, title: 'settle their hour again, whatever was settled before' },
      {
        file: 'jobs/chargeback/generated-month.test.ts',
        title: 'takes no late event after it was closed: it is a correction in the open month'
      }
    ]
  },
  {
    number: 19,
    fault: 'clocks: event times of 1970 and in ten years, host clocks that jump',
    injected:
      'event times of 1970, and of 25 hours and ten years ahead; in the simulation, a clock that is off by up to 30 s either way at every look',
    promise: 'quarantined, and no watermark moves; time in the log never runs back',
    shown: [
      { file: HOSTILE, title: 'becomes one row of quarantine' },
      { file: SIM, title: 'keeps every promise under' }
    ]
  },
  {
    number: 26,
    fault: 'hot partition',
    injected: '20,000 events of one key, in one of 4 partitions',
    promise: 'the events of other partitions are landed while it lags',
    shown: one(NETWORK, 'does not hold the others back'),
    limits: 'findings of a minute wait until every partition has passed it'
  },
  {
    number: 27,
    fault: 'records at the bound of size',
    injected:
      'a record of a megabyte of junk, and an event with 990,000 bytes behind it; two batches of 50 MB sent to the broker, one with fifty records of a megabyte and one of 3,300 events of 15 KB',
    promise: 'taken, or one row of quarantine each; a consumer stays below 900 MB',
    shown: [
      { file: HOSTILE, title: 'becomes one row of quarantine' },
      {
        file: 'infra/faults/large-batch.kafka.test.ts',
        title: 'of records of a megabyte, and of large events, are landed or in quarantine'
      }
    ]
  },
  {
    number: 28,
    fault: 'decompression bomb of 1 GB',
    injected: 'a gzip batch of under a megabyte that unpacks to 1 GB, sent to the broker',
    promise: 'one row of quarantine, bounded memory',
    shown: one(KAFKA, 'becomes one row of quarantine')
  }
]
