/**
 * What each member of a batch owes for a step that costs `shared` as soon as anyone runs and
 * `marginal` for each member: the Shapley value of that game has the closed form
 * shared / members + marginal, so no sampling is needed.
 */
export const affineShapley = (shared: number, marginals: readonly number[]): number[] =>
  marginals.map((marginal) => shared / marginals.length + marginal)
