import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tenantsIn } from './without-names.ts'

test('a finding names tenants in its figures, whoever else is known', () => {
  const finding = {
    tenant: 'acme',
    culprit: { tenant: 'globex', confidence: 0.9 },
    victims: [{ tenant: 'acme' }, { tenant: 'initech', scope: { tenant: 'umbrella' } }],
    summary: 'tenant hooli'
  }
  assert.deepEqual(tenantsIn(finding, 'acme'), ['globex', 'initech', 'umbrella'])
})
