/** Globs as operators write them: `*` any text, `?` one character, without regard to case. Pure. */

export function globForm(glob: string): RegExp {
  const form = glob
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${form}$`, 'is');
}
