/**
 * Values as Ansible may have them. What any source observed is data, never a template: every string of it leaves
 * marked, braces or not, since a bare expression runs in `when:` as well. What an operator wrote stays a template.
 * https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_advanced_syntax.html#unsafe-or-raw-strings
 */

import { literalIn, type RawJson } from '../json.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json } | RawJson;

const deepest = 8;

/** An observed value: strings marked one by one; a mark around anything else makes Ansible refuse the inventory. */
export function observed(value: unknown, depth = 0): Json {
  if (value === null || value === undefined || depth > deepest) return null;
  if (typeof value === 'string') return { __ansible_unsafe: value.toWellFormed() };
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (Array.isArray(value)) return value.map((inner) => observed(inner, depth + 1));
  if (typeof value !== 'object') return null;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !key.startsWith('__ansible'))
      .map(([key, inner]) => [key.toWellFormed(), observed(inner, depth + 1)]),
  );
}

/** An operator's value, as written: vault values and marks pass through, other keys of Ansible's own do not. */
export function written(value: unknown, depth = 0): Json {
  if (value === null || value === undefined || depth > 64) return null;
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (Array.isArray(value)) return value.map((inner) => written(inner, depth + 1));
  if (typeof value !== 'object') return null;
  const literal = literalIn(value);
  if (literal !== undefined) return JSON.rawJSON(literal);
  for (const mark of ['__ansible_vault', '__ansible_unsafe']) {
    const text = (value as Record<string, unknown>)[mark];
    if (typeof text === 'string') return { [mark]: text.toWellFormed() };
  }
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !key.startsWith('__ansible'))
      .map(([key, inner]) => [key.toWellFormed(), written(inner, depth + 1)]),
  );
}

const addressForm =
  /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+(?:%[A-Za-z0-9]+)?|[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?)$/;

/** Whether a text can be the address of a host: an IP address or a host name, and nothing that is an option. */
export function isAddress(text: string): boolean {
  return text.length <= 253 && addressForm.test(text);
}
