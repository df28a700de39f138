/** What needs a person says what to do, with commands that do it. */

import { expect, test } from 'vitest';
import { startService } from '../service.ts';
import { besides } from './run.ts';

const uuid = (number: number) => `aaaaaaaa-0000-4000-8000-00000000000${number}`;
const mac = (number: number) => `52:54:00:00:00:0${number}`;
const guest = (number: number) => ({
  ci_type: 'virtual_machine',
  ci_name: `web-${number}`,
  ci_status: 'running',
  external_id: String(number),
  technical_specs: { vmid: number, node: 'pve1', uuid: uuid(number), macs: [mac(number)], serial: 'S-100' },
});

test('what identity asks of a person is told with commands that exist, and show what is meant', async () => {
  // By the clock of this machine it would tell of the answer that is refused below.
  const service = await startService({ settings: { jobs: { 'prune-refusals': { schedule: 'off' } } } });
  const { call, pass } = service;
  const rollcall = besides(service);
  const read = async (source: string, ...items: object[]) => {
    await call('POST', '/passes', { source, complete: true, items });
    pass({ minutes: 1 });
  };
  await read('proxmox-api:home', ...[1, 2, 3, 4, 5].map(guest));
  await read('import:lab.yml', { ci_name: 'both', ci_type: 'machine', technical_specs: { macs: [mac(1), mac(2)] } });
  await call('PUT', '/ci/web-1', { managed_by: 'ansible', technical_specs: { uuid: uuid(9) } });
  pass({ minutes: 1 });
  await read('proxmox-api:home', guest(1));

  const { items } = (await call('GET', '/alerts')).body as { items: { kind: string; what_to_do: string }[] };
  const doctor = await rollcall('doctor');

  const [conflict] = ((await call('GET', '/conflicts')).body as { items: { conflict_id: string }[] }).items;
  const [held] = ((await call('GET', '/passes')).body as { items: { pass_id: string }[] }).items;
  const texts = Object.fromEntries(items.map(({ kind, what_to_do }) => [kind, what_to_do]));
  expect(texts).toEqual({
    another_machine_answered: `These facts came back with the id of web-1, and are of another machine: its UUID is ${uuid(9)}, and the hypervisor says ${uuid(1)}. They have no word meanwhile. "rollcall inventory why web-1" shows by which address Ansible reaches it, and "rollcall explain web-1 --identity" what identifies it. Put the address right, then gather facts again.`,
    conflict: `It could be of several items: "rollcall conflicts" shows which. Answer with "rollcall conflicts resolve ${conflict?.conflict_id} same NAME", or with "rollcall conflicts resolve ${conflict?.conflict_id} apart" where it is none of them.`,
    shared_identifier:
      'Several machines carry it, so it identifies none of them. "rollcall ci list --search s-100" shows them. Give each its own, or leave it so.',
    suspicious_pass: `4 of 5 are gone at once; nothing was taken away until the next reading agrees or a person accepts it. "rollcall passes show ${held?.pass_id}" shows it; if it is right, say so with "rollcall passes accept ${held?.pass_id}".`,
  });
  for (const text of Object.values(texts)) expect(doctor.stdout).toContain(text);
  const proposed = Object.values(texts).flatMap((text) =>
    [...text.matchAll(/"rollcall ([^"]+)"/g)].map(([, words]) => words),
  );
  for (const words of proposed as string[]) {
    const ran = await rollcall(...words.replace('NAME', 'web-2').split(' '));
    const isAnswered = words.endsWith(' apart');
    expect({ words, ...ran }).toMatchObject({
      words,
      code: isAnswered ? 1 : 0,
      stderr: isAnswered ? expect.stringContaining('already') : '',
    });
  }
  const after = (await call('GET', '/alerts')).body as { items: { kind: string; until: string | null }[] };
  // The others that carried the serial are gone.
  expect(after.items.filter(({ until }) => until === null).map(({ kind }) => kind)).toEqual([
    'another_machine_answered',
  ]);
});
