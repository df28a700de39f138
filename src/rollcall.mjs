#!/usr/bin/env node
// The door: plain JavaScript, so that an old Node says what is wrong instead of failing to read TypeScript.
import { fileURLToPath } from 'node:url';

const oldest = 26;
const major = Number(process.versions.node.split('.')[0]);
if (major < oldest) {
  process.stderr.write(
    `Rollcall needs Node ${oldest} or newer, and this is ${process.versions.node}. ` +
      `Run "npm ci" in its folder, then start it with "npm start" or "npx rollcall": these use the Node that came with it.\n`,
  );
  process.exitCode = 1;
} else {
  // Compiled once and kept beside the code, whose owner alone can write there: half the time of a start.
  const { enableCompileCache } = await import('node:module');
  enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/rollcall', import.meta.url)));
  await import('./main.ts');
}
