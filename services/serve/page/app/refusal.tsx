import type { Problem } from './api.ts'

/** A refusal in the words of the API: what, why, what to do, and the code to look up. */
export const Refusal = ({ problem }: { problem: Problem }) => (
  <section class="state problem" role="alert">
    <h2>{problem.title}</h2>
    <p>{problem.detail}</p>
    {problem.hint !== undefined && <p>{problem.hint}</p>}
    <p class="soft">
      <code>{problem.code}</code>
    </p>
  </section>
)
