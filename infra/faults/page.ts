import { FAULTS } from './faults.ts'
import { sightingText, type Sighting } from './seen/sighting.ts'
import type { Fault } from './table/fault.ts'

/** The text of `infra/FAULTS.md`. */
export const faultsPage = (seen: readonly Sighting[]): string => {
  const shown = FAULTS.filter((fault) => fault.shown.length > 0)
  const row = (fault: Fault): string =>
    rowOf(
      fault,
      seen.find(({ number }) => number === fault.number)
    )
  return `# Faults

Written by \`node --import tsx infra/faults/main.ts\` out of \`infra/faults/faults.ts\` and \`infra/faults/seen.json\`; a test keeps it equal to both, and to the tests it names. \`infra/prove/faults.sh\` runs these and keeps what they saw. ${shown.length} of ${FAULTS.length} are injected by the suite, ${shown.filter(({ limits }) => limits === undefined).length} of them without a reservation.

| # | fault | injected | promise | seen | shown by | left out |
|---:|---|---|---|---|---|---|
${FAULTS.map(row).join('\n')}
`
}

const rowOf = (
  { number, fault, injected, promise, shown, limits }: Fault,
  seen: Sighting | undefined
): string => {
  const tests = shown.map(({ file, title }) => `\`${file}\`: ${title} …`)
  return `| ${number} | ${fault} | ${injected} | ${promise} | ${sightingText(seen)} | ${tests.join('<br>') || '**not shown**'} | ${limits ?? ''} |`
}
