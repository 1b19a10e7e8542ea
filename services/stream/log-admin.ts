/** What operators and retention do to a log. Both implementations offer it beside `EventLog`. */
export type LogAdmin = {
  /** Removes records below `offset`; does nothing when they are gone already. */
  deleteBefore: (topic: string, partition: number, offset: number) => Promise<void>
  /** Raises the number of partitions; keys are spread anew from then on. */
  addPartitions: (topic: string, partitions: number) => Promise<void>
  /** Removes a topic and its records; a topic that is not there is no error. */
  deleteTopic: (topic: string) => Promise<void>
}
