/** The example of a configuration against the schema of the settings, in both directions. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TSchema } from 'typebox';
import { expect, onTestFinished, test } from 'vitest';
import { type Config, settingsSchema } from '../src/app.ts';
import { readConfig } from '../src/config.ts';
import { readYaml } from '../src/yaml.ts';
import { startService } from './service.ts';

const example = readFileSync(new URL('../rollcall.example.yml', import.meta.url), 'utf8');
/** A setting's line has its # at the start and no space, or its indentation, behind it; of prose it is one space. */
const uncommented = example.replaceAll(/^#(?=\S|\s{2,}\S)/gm, '');

function configOf(text: string): Config {
  const cwd = mkdtempSync(join(tmpdir(), 'rollcall-example-'));
  onTestFinished(() => rmSync(cwd, { recursive: true }));
  writeFileSync(join(cwd, 'rollcall.yml'), text);
  const { data: _, ...config } = readConfig(settingsSchema, { env: {}, cwd });
  return config as Config;
}

test('copying the example changes nothing', () => {
  expect(configOf(example)).toEqual(configOf(''));
});

test('every line of the example can be taken as it stands', async () => {
  // The files that these name are on nobody's machine.
  const {
    http: _,
    proxmox: _proxmox,
    github: _github,
    data: _data,
    ...settings
  } = readYaml(uncommented, 'rollcall.example.yml').value as Config;

  configOf(uncommented);
  const { call } = await startService({ settings });

  expect((await call('GET', '/groups/webservers')).body).toMatchObject({ said_by: { match: 'rollcall.yml' } });
});

test('every setting stands in the example', () => {
  const shown = readYaml(uncommented, 'rollcall.example.yml').value;

  expect(missingOf(settingsSchema, shown)).toEqual([]);
});

test('a setting that has a default is shown with it', () => {
  const shown = readYaml(uncommented, 'rollcall.example.yml').value;

  expect(otherDefaultsOf(settingsSchema, shown, '')).toEqual([]);
});

interface Shape {
  default?: unknown;
  properties?: Record<string, TSchema>;
  patternProperties?: Record<string, TSchema>;
  items?: TSchema;
}

/** The settings that no section of a kind has, however often the kind stands in the schema. */
function missingOf(schema: TSchema, value: unknown): string[] {
  const shown = new Map<object, { path: string; names: Set<string> }>();
  const look = (part: TSchema, at: unknown, path: string): void => {
    const { properties, patternProperties = {}, items } = part as Shape;
    if (Array.isArray(at)) for (const entry of items ? at : []) look(items as TSchema, entry, path);
    if (properties) {
      const kind = shown.get(properties) ?? { path, names: new Set() };
      shown.set(properties, kind);
      for (const [name, inner] of Object.entries(properties)) {
        const inside = (at as Record<string, unknown> | undefined)?.[name];
        if (inside !== undefined) kind.names.add(name);
        look(inner, inside, `${path}/${name}`);
      }
    }
    for (const inner of Object.values(patternProperties)) {
      const entries = Array.isArray(at) ? [] : Object.values(at ?? {});
      for (const entry of entries.length > 0 ? entries : [undefined]) look(inner, entry, `${path}/*`);
    }
  };
  look(schema, value, '');
  return [...shown].flatMap(([properties, { path, names }]) =>
    Object.keys(properties)
      .filter((name) => !names.has(name))
      .map((name) => `${path}/${name}`),
  );
}

function otherDefaultsOf(schema: TSchema, value: unknown, path: string): string[] {
  const { properties = {}, default: usual } = schema as Shape;
  if (typeof usual !== 'object' && usual !== undefined && usual !== value) return [`${path} is ${String(value)}`];
  return Object.entries(properties).flatMap(([name, part]) =>
    otherDefaultsOf(part, (value as Record<string, unknown>)[name], `${path}/${name}`),
  );
}
