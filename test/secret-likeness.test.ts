/** What looks like a secret, and what does not. Nothing here is one: each was made up for this. */

import { describe, expect, test } from 'vitest';
import { secretLikeness } from '../src/secret-likeness.ts';

/** Put together here, so that no scanner takes this file for a leak. */
const made = (...parts: string[]) => parts.join('');

describe('refused', () => {
  test.each([
    ['a private key', made('-----BEGIN OPENSSH ', 'PRIVATE KEY-----\nb3BlbnNzaC1rZXk=')],
    ['a token of GitHub', made('ghp', '_', 'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8')],
    ['a token of GitHub', made('github', '_pat_', '11ABCDEFG0aBcDeFgHiJkLmNoPqRsTuVwXyZ')],
    ['a token of GitLab', made('glpat', '-', 'xY1zX2yZ3xY4zX5yZ6xY')],
    ['an access key of AWS', made('AKIA', 'IOSFODNN7EXAMPLE')],
    ['a JSON web token', made('eyJhbGciOiJIUzI1NiJ9', '.', 'eyJzdWIiOiIxMjM0In0', '.', 'c2lnbmF0dXJl')],
    ['a token of Proxmox VE', 'root@pam!ansible=12345678-90ab-cdef-1234-567890abcdef'],
    ['an address with a password in it', 'postgres://app:hunter22@db.lan/app'],
    ['the hash of a password', '$2b$12$abcdefghijklmnopqrstuvABCDEFGHIJKLMNOPQRSTUV12345'],
    ['a secret behind its name', 'the password: hunter22'],
    ['a secret behind its name', 'api_key="correct-horse_battery"'],
    ['drawn by lot, as passwords and keys are', 'kJ8s2LmQ9xVt4RpZ7wBn'],
    ['drawn by lot, as passwords and keys are', 'notes: 4f6a8c0b2d4e6f8a0c2e4a6b8d0f1e3c'],
    ['drawn by lot, as passwords and keys are', made('Zm9vYmFyYmF6cXV4', 'MTIzNDU2Nzg5MA==')],
  ])('%s', (likeness, text) => {
    expect(secretLikeness(text)).toBe(likeness);
  });
});

describe('taken', () => {
  test.each([
    'proxmox-ansible-token',
    'Let’s Encrypt wildcard for *.home.example.org',
    '01979b2e-3f60-7c11-8f4c-2f6a7a1b9c0d',
    'SHA256:uNiVztksCsDhcc0u9e8BrIJkPTKTuCzmBZcMDn0bP8Q',
    'https://wiki.example.org/infrastructure/rotate-the-certificate-of-the-router',
    'ann.with-a-long-name@operations.department.example.org',
    'rotate it on the first Monday of a month, and tell the people who use it',
    'kubernetes-production-cluster-service-account',
    '/etc/letsencrypt/live/home.example.org/fullchain.pem',
    'rollcall/infrastructure#123',
    'the token is in the vault',
    'API token: rotate it every month',
    'password: see-the-vault.',
    'token: 2026-12-01 at the latest',
    'secret: vaultwarden:infra/deploy1',
    'password: https://wiki.example.org/1',
    'ProxmoxVirtualEnvironment',
    '',
  ])('%s', (text) => {
    expect(secretLikeness(text)).toBeUndefined();
  });
});
