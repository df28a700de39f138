/** `rollcall doctor`: whether all is well, and what to do where it is not. */

import { existsSync, readFileSync } from 'node:fs';
import { Command } from 'commander';
import type { Config } from '../app.ts';
import { readEnvironment } from '../environment.ts';
import { type Fault, faultInWords, StartError } from '../errors.ts';
import {
  attempt,
  checkAlerts,
  checkAnsibleToken,
  checkBackups,
  checkCallbacks,
  checkClock,
  checkDatabase,
  checkDisk,
  checkPeers,
  checkRefusals,
  checkSources,
  checkTokenFiles,
  checkTokens,
  type Finding,
  refusalsOfADay,
} from './checks.ts';
import { type Access, clientOf, type Json } from './client.ts';
import { print, printJson, printTable, shown, styled } from './output.ts';
import { configOf, findRunning, localAccess, openAlone, remoteAccess, trustAuthority } from './service.ts';

interface Report {
  findings: Finding[];
  refusals: Json[];
}

const mostRefusals = 20;

export function doctorCommand(): Command {
  return new Command('doctor')
    .description(
      'check configuration, database, tokens, service, clock, disk, backups, refused writes, sources, callbacks, clusters, issue tracker, vault and alerts',
    )
    .option('--json', 'findings and refusals as JSON')
    .addHelpText(
      'after',
      '\nExit code: 0 all is well, 1 something is wrong; what to do stands below each finding.\n\nExamples:\n  rollcall doctor\n  rollcall --data /var/lib/rollcall doctor || mail -s "Rollcall needs you" ops@example.org',
    )
    .action(async ({ json }: { json?: boolean }, self: Command) => {
      const report = await examine(self);
      const isWell = report.findings.every(({ state }) => state !== 'wrong');
      if (!isWell) process.exitCode = 1;
      if (json) printJson({ well: isWell, ...report });
      else printReport(report, isWell);
    });
}

async function examine(command: Command): Promise<Report> {
  const report: Report = { findings: [], refusals: [] };
  const add = (...findings: Finding[]) => report.findings.push(...findings);
  try {
    const env = readEnvironment();
    trustAuthority(env.ROLLCALL_CA);
    const remote = await remoteAccess(command, env);
    if (remote) await examineService(remote, undefined, report);
    else await examineHere(await configOf(command), report);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    add({ check: report.findings.length === 0 ? 'configuration' : 'service', state: 'wrong', found: error.message });
  }
  return report;
}

async function examineHere(config: Config, report: Report): Promise<void> {
  const { findings } = report;
  findings.push({
    check: 'configuration',
    state: 'ok',
    found: `data in ${config.data}, listens on ${config.http.listen}`,
  });
  const database = await checkDatabase(config);
  findings.push(database);
  if (existsSync(config.data)) findings.push(checkDisk(config));
  const hasDatabase = existsSync(`${config.data}/rollcall.db`);
  if (hasDatabase) findings.push(checkBackups(config, Date.now()), ...checkTokenFiles(config));

  const env = readEnvironment();
  const running = await findRunning(config);
  if (running) {
    trustAuthority(config.http.tls?.cert);
    return await examineService(localAccess(config.data, running, env, true), config, report);
  }
  findings.push({
    check: 'service',
    state: 'wrong',
    found: 'none is running on these data',
    to_do: 'Start it: "npm start" in this folder, or by your service manager.',
  });
  // A doctor migrates nothing, and makes no new database.
  if (database.state !== 'ok') return;
  const app = await openAlone(config);
  try {
    await examineService(localAccess(config.data, app.url, env, false), config, report);
  } finally {
    await app.close();
  }
}

/** `config` is given where the service has its data on this machine. */
async function examineService(access: Access, config: Config | undefined, report: Report): Promise<void> {
  const { findings } = report;
  const client = clientOf(access);
  const now = Date.now();
  const { version } = await client.get<{ version: string }>('/healthz');
  if (!findings.some(({ check }) => check === 'service'))
    findings.push({ check: 'service', state: 'ok', found: `Rollcall ${version} answers at ${access.url}` });
  const accepted = await attempt('access', async () => {
    await client.get('/ci', { limit: 1 });
    return { check: 'access', state: 'ok', found: `with the token from ${access.tokenFrom}` };
  });
  findings.push(...accepted);
  if (accepted.some(({ state }) => state === 'wrong')) return;
  if (config) findings.push(...(await checkAnsibleToken(config, access.url)));
  findings.push(
    ...(await attempt('tokens', () => checkTokens(client, now))),
    ...(await attempt('clock', () => checkClock(client, now))),
    ...(await attempt('refused writes', async () => {
      report.refusals = await refusalsOfADay(client, now);
      return checkRefusals(report.refusals);
    })),
    ...(await attempt('sources', () => checkSources(client, now))),
    ...(await attempt('callbacks', () => checkCallbacks(client, ownCallback()))),
    ...(await attempt('other systems', () => checkPeers(client))),
    ...(await attempt('alerts', () => checkAlerts(client))),
  );
}

/** Of the callback plugin that comes with this program. */
function ownCallback(): string {
  const text = readFileSync(new URL('../../ansible/plugins/callback/rollcall.py', import.meta.url), 'utf8');
  return /^SHIM_VERSION = "(.+)"$/m.exec(text)?.[1] ?? '';
}

function faultOf([first]: readonly Fault[]): string | undefined {
  return first?.pointer ? faultInWords(first) : undefined;
}

const marks = { ok: ['green', 'ok   '], note: ['yellow', 'note '], wrong: ['red', 'WRONG'] } as const;

function printReport({ findings, refusals }: Report, isWell: boolean): void {
  const width = Math.max(...findings.map(({ check }) => check.length));
  for (const { check, state, found, to_do } of findings) {
    const [colour, mark] = marks[state];
    const margin = ' '.repeat(mark.length + width + 4);
    print(`${styled(colour, mark)}  ${check.padEnd(width)}  ${shown(found).replaceAll('\n', `\n${margin}`)}`);
    if (to_do !== undefined) print(`${margin}→ ${shown(to_do)}`);
  }
  if (refusals.length > 0) {
    print('');
    printTable(
      ['REFUSED AT', 'BY', 'WRITE', 'STATUS', 'FAULT'],
      refusals
        .slice(0, mostRefusals)
        .map(({ refused_at, token_name, address, method, path, status, detail, errors }) => [
          refused_at,
          token_name ?? address,
          `${shown(method)} ${shown(path)}`,
          status,
          faultOf(errors as Fault[]) ?? detail,
        ]),
      '',
    );
    if (refusals.length > mostRefusals) print(`and ${refusals.length - mostRefusals} more`);
  }
  print('');
  print(isWell ? 'All is well.' : 'Something is wrong: see above.');
}
