/** What Ansible says of a file that it cannot read, as a person needs it: the file, the line, the reason. */

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { faultsIn } from '../../src/cli/ansible-inventory.ts';
import type { InventoryCopy } from '../../src/cli/inventory-copy.ts';
import { temporaryFolder } from '../service.ts';
import { writeFiles } from './import-world.ts';

/** As `ansible-inventory` of 2.14.18 and 2.19.14 printed it; `@` stands for the folder of the copy. */
const cases: readonly { what: string; files: Record<string, string>; said: string; fault: string | RegExp }[] = [
  {
    what: 'INI, in lines of 79 columns',
    files: { 'my-hosts.ini': '[web]\nweb-1\nweb-2 foo bar\n' },
    said: `[WARNING]:  * Failed to parse @/my-hosts.ini with ini plugin:
@/my-
hosts.ini:3: Expected key=value host variable assignment,
got: foo
ERROR! Completely failed to parse inventory source @/my-hosts.ini
`,
    fault: 'my-hosts.ini:3: Expected key=value host variable assignment, got: foo',
  },
  {
    what: 'INI, without a line',
    files: { 'my-hosts.ini': '# foo\n[web]\nweb-1\nweb-2 foo bar\n' },
    said: `[WARNING]: Failed to parse inventory with 'ini' plugin: Failed to parse inventory: Expected key=value host variable assignment, got: foo

Failed to parse inventory with 'ini' plugin.

<<< caused by >>>

Failed to parse inventory: Expected key=value host variable assignment, got: foo
Origin: @/my-hosts.ini

[ERROR]: Completely failed to parse inventory source @/my-hosts.ini
`,
    fault: 'my-hosts.ini:4: Expected key=value host variable assignment, got: foo',
  },
  {
    what: 'INI, with a section that has no end',
    files: { 'my-hosts.ini': '# [a comment\n[db]\ndb-[1:2]\n[web\nweb-1\n' },
    said: `[WARNING]:  * Failed to parse @/my-hosts.ini with ini plugin: not enough values
to unpack (expected 3, got 2)
[WARNING]: Unable to parse @/my-hosts.ini as an inventory source
`,
    fault: 'my-hosts.ini:4: a [ is not closed',
  },
  {
    what: 'YAML, which every plugin tried',
    files: { 'hosts.yml': 'all:\n  hosts:\n    a:\n      x: [1\n    b:\n' },
    said: `[WARNING]:  * Failed to parse @/hosts.yml with auto plugin: We
were unable to read either as JSON nor YAML, these are the errors we got from
each: JSON: Expecting value: line 1 column 1 (char 0)  Syntax Error while
loading YAML.   did not find expected ',' or ']'  The error appears to be in
'@/hosts.yml': line 5, column 6, but may be elsewhere in the file
depending on the exact syntax problem.  The offending line appears to be:
x: [1     b:      ^ here
[WARNING]:  * Failed to parse @/hosts.yml with ini plugin: Invalid
host pattern 'all:' supplied, ending in ':' is not allowed, this character is
reserved to provide a port.
ERROR! Completely failed to parse inventory source @/hosts.yml
`,
    fault: "hosts.yml:5:6: did not find expected ',' or ']'",
  },
  {
    what: 'YAML, with its origin',
    files: { 'hosts.yml': 'all:\n  hosts:\n    a:\n      x: [1\n    b:\n' },
    said: `[WARNING]: Failed to parse inventory with 'auto' plugin: YAML parsing failed: Colons in unquoted values must be followed by a non-space character.

Failed to parse inventory with 'auto' plugin.

<<< caused by >>>

YAML parsing failed: Colons in unquoted values must be followed by a non-space character.
Origin: @/hosts.yml:5:6

3     a:
4       x: [1

[WARNING]: Failed to parse inventory with 'ini' plugin: Failed to parse inventory: Invalid host pattern 'all:' supplied, ending in ':' is not allowed, this character is reserved to provide a port.
Origin: @/hosts.yml

[ERROR]: Completely failed to parse inventory source @/hosts.yml
`,
    fault: 'hosts.yml:5:6: YAML parsing failed: Colons in unquoted values must be followed by a non-space character.',
  },
  {
    what: 'group_vars',
    files: { 'hosts.ini': 'a\n', 'group_vars/all.yml': 'a: 1\nb: "x\nc: 2\n' },
    said: `ERROR! We were unable to read either as JSON nor YAML, these are the errors we got from each:
JSON: Expecting value: line 1 column 1 (char 0)

Syntax Error while loading YAML.
  found unexpected end of stream

The error appears to be in '@/group_vars/all.yml': line 4, column 1, but may
be elsewhere in the file depending on the exact syntax problem.
`,
    fault: 'group_vars/all.yml:4:1: found unexpected end of stream',
  },
  {
    what: 'group_vars, without the name of the file',
    files: { 'hosts.ini': 'a\n', 'group_vars/all.yml': 'a: 1\nkey: !vault x\nb: "x\nc: 2\n' },
    said: '[ERROR]: YAML parsing failed: While scanning a quoted scalar found unexpected end of stream.\n',
    fault: /^group_vars\/all\.yml:4:1: /,
  },
  {
    what: 'a program, in its own words',
    files: { 'inv.sh': '#!/bin/sh\necho broken token >&2; exit 3\n' },
    said: `[WARNING]: Failed to parse inventory with 'script' plugin: Inventory script returned non-zero exit code 3.

Failed to parse inventory with 'script' plugin.

<<< caused by >>>

Inventory script returned non-zero exit code 3.
Origin: <inventory plugin 'script' with source '@/inv.sh'>

Standard error from inventory script:
broken token

[WARNING]: Failed to parse inventory with 'ini' plugin: Failed to parse inventory: Expected key=value host variable assignment, got: broken
Origin: @/inv.sh

[ERROR]: Completely failed to parse inventory source @/inv.sh
`,
    fault: 'inv.sh: Inventory script returned non-zero exit code 3. It says: broken token',
  },
];

describe('a fault is told once, with its place:', () => {
  test.each(cases)('$what', ({ files, said, fault }) => {
    const folder = temporaryFolder();
    writeFiles(folder, files);
    const copy: InventoryCopy = {
      folder,
      sources: [],
      files: Object.keys(files).map((shown) => {
        const path = join(folder, shown);
        return { original: path, copy: path, shown, isExecutable: (statSync(path).mode & 0o100) !== 0 };
      }),
      encrypted: [],
      foreign: [],
    };

    const faults = faultsIn(said.replaceAll('@', folder), copy);

    expect(faults).toEqual([typeof fault === 'string' ? fault : expect.stringMatching(fault)]);
  });
});
