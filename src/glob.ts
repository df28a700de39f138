/** Globs as operators write them: `*` any text, `?` one character, without regard to case. Pure. */

export function globForm(glob: string): RegExp {
  const form = glob
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${form}$`, 'is');
}

/** Those whose glob fits a text, the narrowest first: the text itself, then what has most letters of its own. */
export function fittingGlobs<T>(all: readonly T[], globOf: (one: T) => string, text: string): T[] {
  const letters = (one: T) => globOf(one).replaceAll(/[*?]/g, '').length;
  const isItself = (one: T) => Number(globOf(one) === text);
  return all
    .filter((one) => isItself(one) || globForm(globOf(one)).test(text))
    .sort((a, b) => isItself(b) - isItself(a) || letters(b) - letters(a));
}
