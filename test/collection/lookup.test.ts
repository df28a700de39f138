/** The lookup of one item's full data, under the real Ansible. */

import { describe, expect, test } from 'vitest';
import { ansibleAges } from '../ansible/run-ansible.ts';
import { startService } from '../service.ts';
import { controllerOf } from './controller.ts';

const debug = (msg: string, more: object = {}) => ({ 'ansible.builtin.debug': { msg }, ...more });

describe.each(ansibleAges)('under the %s Ansible', (age) => {
  test('answers items whole, by name or id, and says plainly where it cannot', async () => {
    const service = await startService();
    const notes = "{{ lookup('pipe', 'echo executed') }}";
    const web = { ci_name: 'web-1', notes, technical_specs: { cpu_cores: 2, disks: [{ size_gb: 8 }] } };
    const { ci_id } = (await service.call('POST', '/ci', web)).body as { ci_id: string };
    await service.call('POST', '/ci', { ci_name: 'db-1' });
    await service.call('POST', '/ci', { ci_name: 'db-1', site_id: 'site-b' });
    const whole = (await service.call('GET', '/ci/web-1')).body;
    const { play } = controllerOf(service, age);
    const fails = { ignore_errors: true };

    const { by_name, by_id, several, wanted, narrowed, several_fit, unknown, elsewhere } = await play([
      debug("{{ lookup('rollcall.cmdb.ci', 'web-1') }}", { register: 'by_name' }),
      debug(`{{ lookup('rollcall.cmdb.ci', '${ci_id}').notes }}`, { register: 'by_id' }),
      debug("{{ query('rollcall.cmdb.ci', 'web-1', id) | map(attribute='ci_id') }}", {
        register: 'several',
        vars: { id: ci_id },
      }),
      debug("{{ lookup('rollcall.cmdb.ci', 'web-1', wantlist=true) | map(attribute='ci_id') }}", {
        register: 'wanted',
      }),
      debug("{{ lookup('rollcall.cmdb.ci', 'db-1', site_id='site-b', ci_type='machine').site_id }}", {
        register: 'narrowed',
      }),
      debug("{{ lookup('rollcall.cmdb.ci', 'db-1') }}", { register: 'several_fit', ...fails }),
      debug("{{ lookup('rollcall.cmdb.ci', 'ghost') }}", { register: 'unknown', ...fails }),
      debug("{{ lookup('rollcall.cmdb.ci', 'web-1', url='http://127.0.0.1:1') }}", {
        register: 'elsewhere',
        ...fails,
      }),
    ]);

    expect(by_name?.msg).toEqual(whole);
    expect(by_id?.msg).toBe(notes);
    expect(several?.msg).toEqual([ci_id, ci_id]);
    expect(wanted?.msg).toEqual([ci_id]);
    expect(narrowed?.msg).toBe('site-b');
    expect(several_fit?.msg).toMatch(
      /2 configuration items are named db-1; say which with ci_type and site_id, or by its id. There are: machine at site-home \(\S+\), machine at site-b/,
    );
    expect(unknown?.msg).toContain('No configuration item is named ghost.');
    expect(elsewhere?.msg).toContain('Rollcall at http://127.0.0.1:1 cannot be reached (connection refused)');
  });
});
