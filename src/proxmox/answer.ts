/**
 * Values in answers of Proxmox VE, whose types change between releases: `memory` is a number or a text, `active` is 1,
 * "1" or true, and what is not there may be null. What does not fit is undefined. Pure.
 */

export function object(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A text that is not empty. */
export function text(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

export function number(value: unknown): number | undefined {
  const read = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof read === 'number' && Number.isFinite(read) ? read : undefined;
}

export function flag(value: unknown): boolean {
  return value === true || value === 1 || value === '1';
}

/** `key=value,key=value`, as Proxmox VE writes the parts of a property; the first part may have no key. */
export function parts(written: unknown): { first: string | undefined; byKey: ReadonlyMap<string, string> } {
  const byKey = new Map<string, string>();
  let first: string | undefined;
  for (const [index, part] of (text(written) ?? '').split(',').entries()) {
    const equals = part.indexOf('=');
    if (equals > 0) byKey.set(part.slice(0, equals).trim(), part.slice(equals + 1).trim());
    else if (index === 0 && part.trim() !== '') first = part.trim();
  }
  return { first, byKey };
}
