/** The lookup of one item's full data, under the real Ansible. */

import { describe, expect, test } from 'vitest';
import { ansibleAges } from '../ansible/run-ansible.ts';
import { startService } from '../service.ts';
import { controllerOf } from './controller.ts';

const fails = (register: string, msg: string) => ({
  'ansible.builtin.debug': { msg },
  register,
  ignore_errors: true,
});

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

    const asked = {
      by_name: "{{ lookup('rollcall.cmdb.ci', 'web-1') }}",
      by_id: `{{ lookup('rollcall.cmdb.ci', '${ci_id}').notes }}`,
      several: `{{ query('rollcall.cmdb.ci', 'web-1', '${ci_id}') | map(attribute='ci_name') }}`,
      wanted: "{{ lookup('rollcall.cmdb.ci', 'web-1', wantlist=true) | map(attribute='ci_id') }}",
      narrowed: "{{ lookup('rollcall.cmdb.ci', 'db-1', site_id='site-b', ci_type='machine').site_id }}",
    };

    const { answered, several_fit, unknown, elsewhere } = await play([
      { 'ansible.builtin.debug': { msg: asked }, register: 'answered' },
      fails('several_fit', "{{ lookup('rollcall.cmdb.ci', 'db-1') }}"),
      fails('unknown', "{{ lookup('rollcall.cmdb.ci', 'ghost') }}"),
      fails('elsewhere', "{{ lookup('rollcall.cmdb.ci', 'web-1', url='http://127.0.0.1:1') }}"),
    ]);

    expect(answered?.msg).toEqual({
      by_name: whole,
      by_id: notes,
      several: ['web-1', 'web-1'],
      wanted: [ci_id],
      narrowed: 'site-b',
    });
    expect(several_fit?.msg).toMatch(
      /2 configuration items are named db-1; say which with ci_type and site_id, or by its id. There are: machine at site-home \(\S+\), machine at site-b/,
    );
    expect(unknown?.msg).toContain('No configuration item is named ghost.');
    expect(elsewhere?.msg).toContain('Rollcall at http://127.0.0.1:1 cannot be reached (connection refused)');
  });
});
