/** Writes YAML files for tests. */

import { writeFileSync } from 'node:fs';
import { dump as yamlOf } from 'js-yaml';

export function dump(file: string, value: unknown): string {
  writeFileSync(file, yamlOf(value));
  return file;
}
