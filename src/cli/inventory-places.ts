/** Where in the files of an inventory something stands: the first line that says it. For people, who look there next. */

import { readFileSync, statSync } from 'node:fs';
import { DomainError } from '../errors.ts';
import { readYaml } from '../yaml.ts';
import type { CopiedFile } from './inventory-copy.ts';

export interface Places {
  /** `hosts.ini:3` of a host or group; undefined where no line names it, as for `web[1:9]`. */
  ofName(name: string): string | undefined;
  /** Of a variable of a host or group, by its path, such as `users[0].password`. */
  ofVariable(of: 'group' | 'host', name: string, path: string): string | undefined;
  /** Of the line of one file with such words. */
  ofWords(file: CopiedFile, words: string): string | undefined;
  /** What is wrong in a YAML file, with its place; what only Ansible knows is left to it. */
  yamlFault(file: CopiedFile): string | undefined;
}

const largestBytes = 4 * 1024 * 1024;

export function placesIn(files: readonly CopiedFile[]): Places {
  const texts = new Map<CopiedFile, string>();
  const textOf = (file: CopiedFile): string => {
    let text = texts.get(file);
    if (text === undefined) {
      const isText = !file.isExecutable && statSync(file.original).size <= largestBytes;
      text = isText ? readFileSync(file.original, 'utf8') : '';
      texts.set(file, text);
    }
    return text;
  };
  const lineOf = (file: CopiedFile, form: RegExp): string | undefined => {
    const line = textOf(file)
      .split('\n')
      .findIndex((text) => !/^\s*[#;]/.test(text) && form.test(text));
    return line < 0 ? undefined : `${file.shown}:${line + 1}`;
  };
  const first = (among: readonly CopiedFile[], form: RegExp): string | undefined => {
    for (const file of among) {
      const place = lineOf(file, form);
      if (place !== undefined) return place;
    }
    return undefined;
  };
  const inventories = files.filter(({ shown }) => !/(?:^|\/)(?:group|host)_vars\//.test(shown));
  return {
    ofName: (name) => first(inventories, wholeWord(name)),
    ofVariable(of, name, path) {
      const variable = escaped(path.replace(/\[\d+\]$/, '').replace(/^.*\./s, ''));
      const folder = new RegExp(`(?:^|/)${of}_vars/${escaped(name)}(?:\\.(?:ya?ml|json))?(?:/|$)`);
      const own = files.filter(({ shown }) => folder.test(shown));
      return first([...own, ...inventories], new RegExp(`(?:^|[\\s{,"'-])${variable}["']?\\s*[:=]`));
    },
    ofWords: (file, words) => lineOf(file, wholeWord(words)),
    yamlFault(file) {
      if (!/\.(?:ya?ml)$/i.test(file.shown)) return undefined;
      try {
        // Its own tags say nothing of where a fault is.
        readYaml(
          textOf(file).replace(/!(?:vault|vault-encrypted|unsafe)\b/g, (tag) => ' '.repeat(tag.length)),
          file.shown,
        );
        return undefined;
      } catch (error) {
        if (error instanceof DomainError) return error.message;
        throw error;
      }
    },
  };
}

function wholeWord(words: string): RegExp {
  return new RegExp(`(?<![\\w.-])${escaped(words)}(?![\\w.-])`);
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}
