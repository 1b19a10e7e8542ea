import { BITS, CRASH, RESOURCES, SIM, one, type Fault } from './fault.ts'

/** Faults of the disk under the lake. */
export const FILES_FAULTS: readonly Fault[] = [
  {
    number: 20,
    fault: 'disk full',
    injected:
      'a file system of 8 MB filled to the last byte, and to the last 64 KB; in the simulation, at steps that the seed draws',
    promise: 'work waits and goes on; offsets do not move',
    shown: [
      {
        file: 'infra/faults/disk-full.system.test.ts',
        title: 'makes it wait with its offsets where they are, and go on once there is room'
      },
      { file: SIM, title: 'keeps every promise under' }
    ]
  },
  {
    number: 21,
    fault: 'killed while a file is written',
    injected: 'SIGKILL at 10 steps of flushes, and once a file that is being written has 1 MB',
    promise: 'no reader sees it',
    shown: [
      { file: CRASH, title: 'at every step of a flush or of settling' },
      {
        file: 'infra/faults/torn-file.system.test.ts',
        title: 'leaves a torn file that no reader sees, and the next one lands all'
      }
    ]
  },
  {
    number: 22,
    fault: 'power loss: what was not synced goes',
    injected:
      'in the simulation, at steps that the seed draws: what was not synced goes, wholly or in part',
    promise: 'no commit that was told is taken back',
    shown: one(SIM, 'keeps every promise under'),
    limits:
      'a simulated disk: no machine lost its power, and SIGKILL loses nothing that the kernel has'
  },
  {
    number: 23,
    fault: 'flipped bits in files of the lake, and in its logs',
    injected:
      'one bit flipped in each of 120 files (10,000 in `make prove`); files removed, cut to 100 bytes, or with 50 bits flipped',
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
    injected:
      "the lake's folders made read-only for a process without root's rights; the limit on open files put at the next free number (prlimit); 100 ms more for every sync, and SIGKILL amid one; in the simulation, syncs that hang until the seed lets them go on",
    promise: 'a clear error, offsets do not move, the rest is landed later',
    shown: [
      { file: RESOURCES, title: 'ends the consumer with a clear error, moves nothing' },
      { file: RESOURCES, title: 'says so, moves nothing, and the next one lands the rest' },
      {
        file: RESOURCES,
        title:
          'holds commits back and nothing else: all is landed once, also after a kill amid a sync'
      },
      { file: SIM, title: 'keeps every promise under' }
    ],
    limits: 'slow reads and writes: syncs alone are slowed'
  }
]
