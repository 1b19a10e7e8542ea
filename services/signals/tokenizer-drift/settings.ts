/** Every threshold of the signal; the defaults need no tuning. */
export const SETTINGS = {
  /** A typical difference up to this is no difference, in parts of the local count. */
  driftMin: 0.01,
  /** Nats for the first statement about a series: wrong once in a thousand series, ever. */
  levelNats: 7,
  /** Conversations in which a series must show a standing drift; later ones are changes. */
  levelClustersMax: 400,
  /** Nats for a change: once in 30 years of a series that speaks every minute. */
  changeNats: 16,
  /** Conversations before a series' own habits are known. */
  baselineClusters: 50,
  /** A change of the typical ratio below this is not worth a finding. */
  effectMin: 0.02,
  /** Share of calls that the recommended margin covers. */
  marginQuantile: 0.99,
  /** Days without a call after which a finding ends by itself. */
  idleDays: 7
}

export type Settings = Readonly<typeof SETTINGS>
