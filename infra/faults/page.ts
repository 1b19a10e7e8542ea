import { FAULTS } from './faults.ts'
import type { Fault } from './table/fault.ts'

/** The text of `infra/FAULTS.md`. */
export const faultsPage = (): string => {
  const shown = FAULTS.filter((fault) => fault.shown.length > 0)
  return `# Faults

Written by \`node --import tsx infra/faults/main.ts\`; a test keeps it equal to \`infra/faults/faults.ts\` and to the tests it names. ${shown.length} of ${FAULTS.length} are injected by the suite, ${shown.filter(({ limits }) => limits === undefined).length} of them without a reservation.

| # | fault | injected | promise | shown by | left out |
|---:|---|---|---|---|---|
${FAULTS.map(row).join('\n')}
`
}

const row = ({ number, fault, injected, promise, shown, limits }: Fault): string => {
  const tests = shown.map(({ file, title }) => `\`${file}\`: ${title} …`)
  return `| ${number} | ${fault} | ${injected} | ${promise} | ${tests.join('<br>') || '**not shown**'} | ${limits ?? ''} |`
}
