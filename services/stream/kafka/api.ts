/** Requests of Kafka that are encoded here, with the versions in use. */
export const API = {
  produce: { apiKey: 0, apiName: 'Produce', apiVersion: 9 },
  /** 13 names topics by id; 12, the same but for that, serves brokers before 3.1. */
  fetch: { apiKey: 1, apiName: 'Fetch', apiVersion: 13 },
  fetchByName: { apiKey: 1, apiName: 'Fetch', apiVersion: 12 },
  metadata: { apiKey: 3, apiName: 'Metadata', apiVersion: 12 }
} as const

/** Error codes of Kafka that are told apart here. Source: Kafka protocol guide, "Error Codes". */
export const ERROR = {
  none: 0,
  offsetOutOfRange: 1,
  corruptMessage: 2,
  unknownTopicOrPartition: 3,
  leaderNotAvailable: 5,
  notLeaderOrFollower: 6,
  requestTimedOut: 7,
  messageTooLarge: 10,
  networkException: 13,
  notEnoughReplicas: 19,
  notEnoughReplicasAfterAppend: 20,
  outOfOrderSequenceNumber: 45,
  duplicateSequenceNumber: 46,
  invalidProducerEpoch: 47,
  kafkaStorageError: 56,
  unknownProducerId: 59,
  fencedLeaderEpoch: 74,
  unknownLeaderEpoch: 75,
  offsetNotAvailable: 78,
  unknownTopicId: 100,
  inconsistentTopicId: 103
} as const

/** Errors that pass once the newest metadata are known or a broker has caught up. */
export const PASSING_ERRORS: ReadonlySet<number> = new Set([
  ERROR.unknownTopicOrPartition,
  ERROR.leaderNotAvailable,
  ERROR.notLeaderOrFollower,
  ERROR.requestTimedOut,
  ERROR.networkException,
  ERROR.notEnoughReplicas,
  ERROR.notEnoughReplicasAfterAppend,
  ERROR.kafkaStorageError,
  ERROR.fencedLeaderEpoch,
  ERROR.unknownLeaderEpoch,
  ERROR.offsetNotAvailable,
  ERROR.unknownTopicId,
  ERROR.inconsistentTopicId
])

/** Errors after which a producer needs a new identity: the broker lost track of its sequence. */
export const SEQUENCE_ERRORS: ReadonlySet<number> = new Set([
  ERROR.outOfOrderSequenceNumber,
  ERROR.invalidProducerEpoch,
  ERROR.unknownProducerId
])
