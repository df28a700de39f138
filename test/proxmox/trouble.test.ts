import { expect, test } from 'vitest';
import { fieldsIn, ProxmoxError, rowsIn, troubleOf } from '../../src/proxmox/trouble.ts';

const answer = (status: number, statusText: string, body = '') => ({
  status,
  statusText,
  body,
  headers: { get: () => null },
  address: 'https://pve1:8006',
});

test.each([
  [401, 'No ticket', 'auth'],
  [401, 'Authentication failed!', 'auth'],
  [401, "no such token 'x' for user 'y@pve'", 'auth'],
  [403, 'Permission check failed (/vms/100, VM.Audit)', 'permission'],
  [400, 'Parameter verification failed.', 'invalid'],
  [500, "Configuration file 'nodes/pve1/qemu-server/100.conf' does not exist", 'not_here'],
  [500, "hostname lookup 'pve9' failed - failed to get address info", 'node_down'],
  [500, 'No QEMU guest agent configured', 'inside_silent'],
  [500, 'VM 100 is not running', 'inside_silent'],
  [500, 'QEMU guest agent is not running', 'inside_silent'],
  [500, "VM 100 qmp command 'guest-network-get-interfaces' failed - got timeout", 'inside_silent'],
  [500, 'unable to parse value', 'server'],
  [501, "Method 'GET /cluster/ha/rules' not implemented", 'not_implemented'],
  [503, 'Service Unavailable', 'server'],
  [595, 'No route to host', 'node_down'],
  [596, 'tls_process_server_certificate: certificate verify failed', 'node_down'],
  [597, 'broken pipe', 'node_down'],
  [599, 'Too many redirections', 'node_down'],
  [301, 'Moved', 'protocol'],
  [429, 'Too Many Requests', 'rate_limited'],
])('%i %s is %s', (status, words, kind) => {
  expect(troubleOf('/api2/json/nodes/pve1/qemu/100/config?current=1', answer(status, words))).toEqual(
    new ProxmoxError(kind as never, `/nodes/pve1/qemu/100/config was refused with ${status}: ${words}`, status),
  );
});

test('the words are taken from the body, from 8.4 on, and else from the status line', () => {
  const both = answer(500, 'status line', JSON.stringify({ data: null, message: 'the whole of it\n' }));

  expect(troubleOf('/api2/json/version', both)?.message).toBe('/version was refused with 500: the whole of it');
  expect(troubleOf('/api2/json/version', answer(595, ''))?.message).toBe('/version was refused with 595: status 595');
  expect(troubleOf('/api2/json/version', answer(500, 'x'.repeat(1000)))?.message).toHaveLength(331);
});

test('a success is no trouble', () => {
  expect(troubleOf('/api2/json/version', answer(200, 'OK', '{"data":{}}'))).toBeUndefined();
});

test('a success without what was asked for is one', () => {
  expect(rowsIn([], 'the rows')).toEqual([]);
  expect(fieldsIn({ a: 1 }, 'the thing')).toEqual({ a: 1 });
  expect(() => rowsIn(null, 'the rows')).toThrow('the rows were answered without a list');
  for (const nothing of [null, {}, [], 'text']) expect(() => fieldsIn(nothing, 'it')).toThrow('without a field');
});
