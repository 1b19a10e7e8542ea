import type { Dialect } from '../dialect.ts'

/**
 * What no convention has a name for: who pays. Set on spans, or once for a process through
 * `OTEL_RESOURCE_ATTRIBUTES`.
 */
export const tally: Dialect = {
  kind: () => null,
  text: {
    tenant: ['tally.tenant', 'tenant.id', 'tenant_id', 'tenant'],
    project: ['tally.project', 'project.id'],
    team: ['tally.team', 'team.id'],
    user: ['tally.user'],
    route: ['tally.route'],
    prompt_version: ['tally.prompt_version']
  },
  tags: ['tally.tag.']
}
