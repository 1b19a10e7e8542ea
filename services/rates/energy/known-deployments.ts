import { deploymentFigures, type DeploymentFigures } from './deployment-figures.ts'
import type { DeploymentRequest } from './deployment.ts'

/** Deployments that are remembered: more names than a fleet has, few enough to take no memory. */
const KNOWN_MAX = 4096

/** Figures by deployment: finding a model takes fifty times as long as an estimate with it. */
export class KnownDeployments {
  readonly #figures = new Map<string, DeploymentFigures>()

  figuresOf(request: DeploymentRequest): DeploymentFigures {
    const { model, gpu, precision, gpuCount, engineYear } = request
    const key = JSON.stringify([model, gpu, precision, gpuCount, engineYear])
    const known = this.#figures.get(key)
    if (known !== undefined) return known
    if (this.#figures.size >= KNOWN_MAX) this.#figures.clear()
    const figures = deploymentFigures(request)
    this.#figures.set(key, figures)
    return figures
  }
}
