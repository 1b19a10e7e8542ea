/**
 * Robust non-linear least squares: Gauss-Newton steps with Levenberg damping, residuals weighted
 * again in each round by the soft-L1 loss ρ(z) = 2(√(1 + z) − 1), z = (r / scale)². No randomness:
 * the same rows give the same bits.
 */
export type Problem = {
  start: readonly number[]
  /** Residuals of all rows at a parameter vector. */
  residuals: (parameters: readonly number[]) => Float64Array
  weights: Float64Array
  /** Pull towards the start, per parameter, in units of a residual. */
  ridge: number
}

// Log residuals beyond this count less and less: the width of a good measurement's scatter.
const LOSS_SCALE = 0.3
const ROUNDS_MAX = 40
const STEP_TOLERANCE = 1e-7
// Forward difference in log parameters; rounding noise and curvature are both far below it.
const DIFFERENCE = 1e-5
const DAMPING_START = 1e-3

export const minimise = (problem: Problem): number[] => {
  let parameters = [...problem.start]
  let cost = costOf(problem, parameters)
  let damping = DAMPING_START
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const step = stepOf(problem, parameters, damping)
    const candidate = parameters.map((value, index) => value + (step[index] ?? 0))
    const candidateCost = costOf(problem, candidate)
    if (candidateCost > cost) {
      damping *= 8
      if (damping > 1e9) break
      continue
    }
    const small = Math.max(...step.map(Math.abs)) < STEP_TOLERANCE
    parameters = candidate
    cost = candidateCost
    damping = Math.max(damping / 4, 1e-9)
    if (small) break
  }
  return parameters
}

const costOf = (problem: Problem, parameters: readonly number[]): number => {
  const residuals = problem.residuals(parameters)
  let cost = 0
  for (let row = 0; row < residuals.length; row += 1) {
    const weighted = (residuals[row] ?? 0) * (problem.weights[row] ?? 0)
    cost += 2 * LOSS_SCALE ** 2 * (Math.sqrt(1 + (weighted / LOSS_SCALE) ** 2) - 1)
  }
  for (const [index, value] of parameters.entries()) {
    cost += (problem.ridge * (value - (problem.start[index] ?? 0))) ** 2
  }
  return cost
}

const stepOf = (problem: Problem, parameters: readonly number[], damping: number): number[] => {
  const size = parameters.length
  const residuals = problem.residuals(parameters)
  const columns = parameters.map((value, index) => {
    const moved = parameters.with(index, value + DIFFERENCE)
    return problem.residuals(moved).map((next, row) => (next - (residuals[row] ?? 0)) / DIFFERENCE)
  })
  const importance = residuals.map((residual, row) => {
    const weight = problem.weights[row] ?? 0
    return weight ** 2 / Math.sqrt(1 + ((residual * weight) / LOSS_SCALE) ** 2)
  })
  const normal: number[][] = []
  const gradient: number[] = []
  for (let i = 0; i < size; i += 1) {
    normal.push(columns.map((column) => weightedDot(columns[i], column, importance)))
    const pull = problem.ridge ** 2
    const own = normal[i]
    if (own !== undefined) own[i] = ((own[i] ?? 0) + pull) * (1 + damping)
    const away = (parameters[i] ?? 0) - (problem.start[i] ?? 0)
    gradient.push(-weightedDot(columns[i], residuals, importance) - pull * away)
  }
  return solve(normal, gradient)
}

const weightedDot = (
  a: Float64Array | undefined,
  b: Float64Array,
  weights: Float64Array
): number => {
  let sum = 0
  for (let row = 0; row < b.length; row += 1) {
    sum += (a?.[row] ?? 0) * (b[row] ?? 0) * (weights[row] ?? 0)
  }
  return sum
}

/** Solves a symmetric positive system by elimination with pivots. */
export const solve = (
  matrix: readonly (readonly number[])[],
  right: readonly number[]
): number[] => {
  const rows = matrix.map((row, index) => [...row, right[index] ?? 0])
  const size = rows.length
  for (let pivot = 0; pivot < size; pivot += 1) {
    const best = rows
      .slice(pivot)
      .reduce(
        (top, row, index) =>
          Math.abs(row[pivot] ?? 0) > Math.abs(rows[pivot + top]?.[pivot] ?? 0) ? index : top,
        0
      )
    const swapped = rows[pivot + best] ?? []
    rows[pivot + best] = rows[pivot] ?? []
    rows[pivot] = swapped
    eliminateBelow(rows, pivot)
  }
  return backSubstitute(rows)
}

const eliminateBelow = (rows: number[][], pivot: number): void => {
  const top = rows[pivot] ?? []
  for (const row of rows.slice(pivot + 1)) {
    const ratio = (row[pivot] ?? 0) / (top[pivot] ?? 1)
    for (let column = pivot; column < row.length; column += 1) {
      row[column] = (row[column] ?? 0) - ratio * (top[column] ?? 0)
    }
  }
}

const backSubstitute = (rows: readonly number[][]): number[] => {
  const solution = rows.map(() => 0)
  for (let index = rows.length - 1; index >= 0; index -= 1) {
    const row = rows[index] ?? []
    let rest = row[rows.length] ?? 0
    for (let column = index + 1; column < rows.length; column += 1) {
      rest -= (row[column] ?? 0) * (solution[column] ?? 0)
    }
    solution[index] = rest / (row[index] ?? 1)
  }
  return solution
}
