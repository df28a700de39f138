/** The composition root: a configuration in, the whole service out. The only file that knows every module. */

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type Static, Type } from 'typebox';
import { addressesModule } from './addresses/module.ts';
import { addressSettings } from './addresses/settings.ts';
import { checksEndpoint } from './checks.ts';
import { type Cmdb, openCmdb } from './cmdb/cmdb.ts';
import { followSettings } from './cmdb/follow-settings.ts';
import { sweepJob, sweptAfterPasses } from './cmdb/job.ts';
import { type Redact, type Redaction, redact } from './cmdb/redact.ts';
import { auditSettings, referenceRules, wantedOf } from './cmdb/references.ts';
import { conflictEndpoint } from './cmdb/routes/conflicts.ts';
import { driftEndpoint } from './cmdb/routes/drift.ts';
import { explainEndpoints } from './cmdb/routes/explain.ts';
import { handEndpoints } from './cmdb/routes/hand.ts';
import { impactEndpoints } from './cmdb/routes/impact.ts';
import { itemEndpoints } from './cmdb/routes/items.ts';
import { matchEndpoint } from './cmdb/routes/match.ts';
import { passEndpoints } from './cmdb/routes/passes.ts';
import { referenceFigures, referencesEndpoint } from './cmdb/routes/references.ts';
import { relationshipEndpoints } from './cmdb/routes/relationships.ts';
import { revertEndpoint } from './cmdb/routes/revert.ts';
import { siteEndpoints } from './cmdb/routes/sites.ts';
import { sourceEndpoints } from './cmdb/routes/sources.ts';
import { verdictEndpoints } from './cmdb/routes/verdicts.ts';
import { cmdbSettings } from './cmdb/settings.ts';
import { registerSites, type SiteSettings } from './cmdb/sites.ts';
import { storeReferenceRules } from './cmdb/store/changes.ts';
import { ownSettings } from './config.ts';
import { credentialsModule } from './credentials/module.ts';
import { credentialsSettings } from './credentials/settings.ts';
import { issuesIn } from './credentials/tracker.ts';
import { addressFile, type TokenFiles } from './data-folder.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { StartError } from './errors.ts';
import { firstStart, resetAdmin } from './first-start.ts';
import { githubModule } from './github/module.ts';
import { githubSettings } from './github/settings.ts';
import { openAuth } from './http/auth.ts';
import type { Endpoint } from './http/endpoint.ts';
import { pruneRefusalsJob } from './http/job.ts';
import { type Listening, listen } from './http/listen.ts';
import { openMetrics } from './http/metrics.ts';
import { openApiOf } from './http/openapi.ts';
import * as paging from './http/paging.ts';
import { openRefusals } from './http/refusals.ts';
import { groundEndpoints } from './http/routes.ts';
import { httpApp } from './http/server.ts';
import { httpSettings } from './http/settings.ts';
import { groupWords } from './inventory/group-words.ts';
import { hereSource, type ThisMachine, thisMachine } from './inventory/here.ts';
import { inventoryModule } from './inventory/module.ts';
import { hostNames } from './inventory/names.ts';
import { inventorySettings } from './inventory/settings.ts';
import { deleteVersionsWith } from './inventory/store.ts';
import { alertLogJob } from './jobs/alert-log.ts';
import { backupJob } from './jobs/backup.ts';
import { type Counts, type Job, jobsSettings } from './jobs/jobs.ts';
import { endFormerRuns, openJobs } from './jobs/open.ts';
import { jobEndpoints } from './jobs/routes.ts';
import type { Logger } from './log.ts';
import type { House, Opened } from './module.ts';
import { openOutbound } from './outbound/outbound.ts';
import { openPeerAlerts } from './peer-alerts.ts';
import { proxmoxModule } from './proxmox/module.ts';
import { proxmoxSettings } from './proxmox/settings.ts';
import { runsModule } from './runs/module.ts';
import { runsSettings } from './runs/settings.ts';
import { refuseUnknownSchemes } from './secrets/ref.ts';
import { openSecrets, type Scheme } from './secrets/secrets.ts';
import { backupTo, restoreFrom } from './store/backup.ts';
import { type DatabaseState, inspectDatabase } from './store/inspect.ts';
import { isLocked } from './store/lock.ts';
import { databaseName, openStore, type Store, writeOrRehearse } from './store/open.ts';
import { type Clock, stamp, systemClock, systemTimeZone } from './time.ts';
import { vaultOf, vaultwardenModule } from './vaultwarden/module.ts';
import { vaultwardenSettings } from './vaultwarden/settings.ts';
import { VaultError } from './vaultwarden/vault.ts';

export const settingsSchema = Type.Object(
  {
    ...ownSettings,
    ...cmdbSettings,
    http: httpSettings,
    inventory: inventorySettings,
    runs: runsSettings,
    addresses: addressSettings,
    proxmox: proxmoxSettings,
    github: githubSettings,
    credentials: credentialsSettings,
    audit: auditSettings,
    vaultwarden: Type.Optional(vaultwardenSettings),
    jobs: jobsSettings,
  },
  { additionalProperties: false },
);
export type Config = Static<typeof settingsSchema>;

export const version: string = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

export interface App {
  /** Where it answers. */
  url: string;
  /** Written at the first start; undefined otherwise. */
  firstTokens: TokenFiles | undefined;
  cmdb: Cmdb;
  store: Store;
  /** Makes a new admin token in place of the former ones; answers its file. */
  resetAdmin(): Promise<string>;
  runJob(name: string): Promise<Counts>;
  /** Takes a value out of all that is kept; with `dryRun` only looks. Throws DomainError. */
  redact(what: Omit<Redact, 'at'>, dryRun: boolean): Promise<Redaction>;
  close(): Promise<void>;
}

export interface AppOptions {
  clock?: Clock;
  machine?: ThisMachine;
  /** Where secrets of the form env:NAME are; the process's own unless it is given. */
  env?: Environment;
  /** No job runs by itself, and it has a port of its own: a command that finds no service running works so. */
  alone?: boolean;
}

const drainMilliseconds = 10_000;

/** Opens the data, and answers requests. Throws StartError with a sentence that says what to do. */
export async function openApp(config: Config, log: Logger, options: AppOptions = {}): Promise<App> {
  const clock = options.clock ?? systemClock;
  const machine = options.machine ?? thisMachine();
  const timeZone = checkedTimeZone(config.timezone);
  const store = await openStore(config.data, log);
  const peerAlerts = openPeerAlerts(store, clock, log);
  const peers = openOutbound({
    log,
    clock,
    onRequest: (...request) => metrics.called(...request),
    onTurn: peerAlerts.turned,
  });
  const metrics = openMetrics(store, peers.states, referenceFigures(store, clock));
  let closeListening: (() => Promise<void>) | undefined;
  // Of a service that was killed.
  rmSync(addressFile(config.data), { force: true });
  try {
    const auth = openAuth(store, clock);
    const refusals = openRefusals(store, log);
    const names = hostNames(new Set(Object.keys(config.inventory.groups)), config.inventory.follow_renames);
    const heart = openCmdb({
      store,
      settings: config,
      timeZone,
      names,
      groups: groupWords(config.inventory),
      clock,
    });
    const cmdb = sweptAfterPasses(heart, () => clocks.follow('sweep'));
    const schemes = new Map<string, Scheme>();
    const env = options.env ?? readEnvironment();
    const secrets = openSecrets({ env, schemes });
    const house: House = { store, cmdb, clock, log, secret: secrets.secret, outbound: peers.outbound };
    const here = { controller: machine.controller, item: () => machine.findItem(store.read) };
    const inventory = await inventoryModule(here).open(house, config.inventory);
    const github = await githubModule.open(house, config.github);
    const vaultwarden = vaultwardenModule(env).open(house, config.vaultwarden);
    const credentials = await credentialsModule({
      issues: issuesIn(github),
      vault: vaultwarden.vault && { vault: vaultwarden.vault, isWatched: vaultwarden.isWatched },
      follow: (job) => void clocks.follow(job),
    }).open(house, config.credentials);
    const modules: Opened[] = [
      inventory,
      vaultwarden,
      await runsModule(inventory).open(house, config.runs),
      await addressesModule.open(house, config.addresses),
      await proxmoxModule.open(house, config.proxmox),
      github,
      credentials,
    ];
    for (const module of modules)
      for (const [name, read] of Object.entries(module.secretSchemes ?? {})) schemes.set(name, read);
    refuseUnknownSchemes(settingsSchema, config, secrets.schemes());
    await peerAlerts.keepOnly(peers.states().map(({ name }) => name));

    const endpoints: Endpoint[] = [];
    const ground = {
      store,
      auth,
      refusals,
      metrics,
      peers: peers.states,
      clock,
      timeZone,
      version,
      openMetrics: config.http.open_metrics,
      openApi: () => openApiOf(endpoints, version),
    };
    const jobs: Job[] = [
      sweepJob(cmdb, store, clock),
      backupJob(store, `${config.data}/backups`, clock),
      pruneRefusalsJob(store, clock),
      alertLogJob(store, log),
      ...modules.flatMap((module) => module.jobs ?? []),
    ];
    await endFormerRuns(store, stamp(clock()));
    const clocks = openJobs(jobs, { settings: config.jobs, timeZone, store, clock, log });
    endpoints.push(
      ...itemEndpoints(cmdb, store),
      ...handEndpoints(cmdb, store, clock),
      ...relationshipEndpoints(cmdb, store, clock),
      ...impactEndpoints(cmdb, store, credentials.credentialsAffected),
      matchEndpoint(cmdb, store),
      revertEndpoint(cmdb, store, clock),
      ...explainEndpoints(cmdb, store, clock),
      ...verdictEndpoints(cmdb, store, clock),
      ...passEndpoints(cmdb, store),
      referencesEndpoint(store, clock),
      ...siteEndpoints(cmdb, store, clock),
      ...sourceEndpoints(cmdb, store, clock),
      driftEndpoint(cmdb, store),
      conflictEndpoint(store),
      ...modules.flatMap((module) => module.endpoints ?? []),
      checksEndpoint(modules.flatMap((module) => module.checks ?? [])),
      ...groundEndpoints(ground),
      ...jobEndpoints({ jobs: clocks, store, paging }),
    );

    const references = referenceRules(config.audit, [hereSource, 'vaultwarden', 'github', 'gitea']);
    const wantsChangeRef = (source: string) => {
      const { requirement, standing } = wantedOf(source, references);
      return requirement === 'warn' && standing === null;
    };
    const parts = { settings: config.http, endpoints, auth, refusals, metrics, store, clock, log, wantsChangeRef };
    const http = httpApp(parts);
    const listening: Listening = await listen(http, options.alone ? ownPort(config.http) : config.http, log);
    closeListening = () => listening.close(0);
    // After it listens: a start that ends at a taken port is no first start.
    await store.write((trx) => storeReferenceRules(trx, references));
    await registerSites(store.write, config.sites as SiteSettings, stamp(clock()));
    await followSettings(cmdb, store, clock);
    const firstTokens = await firstStart(cmdb, auth, config.data, machine);
    if (!options.alone) {
      writeFileSync(addressFile(config.data), `${listening.url}\n`, { mode: 0o600 });
      clocks.start();
    }

    return {
      url: listening.url,
      firstTokens,
      cmdb,
      store,
      resetAdmin: () => resetAdmin(auth, config.data),
      runJob: async (name) => (await clocks.run(name)).counts,
      async redact(what, dryRun) {
        const at = stamp(clock());
        const done = await writeOrRehearse(store.write, dryRun, (trx) =>
          redact(trx, { ...what, at }, deleteVersionsWith),
        );
        if (!dryRun) await store.compact();
        return done;
      },
      async close() {
        if (!options.alone) rmSync(addressFile(config.data), { force: true });
        await Promise.all([
          listening.close(options.alone ? 0 : drainMilliseconds),
          clocks.close(options.alone ? undefined : drainMilliseconds),
        ]);
        for (const module of modules) await module.close?.();
        await peers.close();
        await peerAlerts.close();
        await refusals.close();
        await auth.close();
        await store.close();
      },
    };
  } catch (error) {
    await closeListening?.();
    await peers.close();
    await peerAlerts.close();
    await store.close();
    throw error;
  }
}

/**
 * The process that uses the configuration's data now, and where it answers: no address while it starts, and none of
 * a command that opened the data for itself. Undefined where the data are free.
 */
export function findService(config: Config): { url: string | undefined } | undefined {
  if (!isLocked(config.data)) return undefined;
  const file = addressFile(config.data);
  if (!existsSync(file)) return { url: undefined };
  // A certificate is for a name, and not for the address that is listened on.
  if (config.http.tls && config.http.public_url) return { url: config.http.public_url.replace(/\/+$/, '') };
  const url = readFileSync(file, 'utf8').trim();
  return { url: url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:') };
}

function ownPort({ tls: _, ...http }: Config['http']): Config['http'] {
  return { ...http, listen: '127.0.0.1:0' };
}

/** Writes a verified copy of the data's database, whether a service is using it or not. */
export async function backup(config: Config, target: string): Promise<void> {
  const file = `${config.data}/${databaseName}`;
  if (!existsSync(file)) throw new StartError(`There is no database in ${config.data}; --data names another folder.`);
  await backupTo(file, target);
}

/** Looks at the data's database and changes nothing; undefined where there is none. */
export async function inspect(config: Config): Promise<DatabaseState | undefined> {
  return await inspectDatabase(`${config.data}/${databaseName}`);
}

/** What the inventory script of this machine sends to be known as it. */
export function controllerHere(): string | undefined {
  return thisMachine().controller;
}

/**
 * What an item of the configuration's vault holds, and what it is called: for a command, which needs no service for it and
 * no data. Throws StartError.
 */
export async function readVault(
  config: Config,
  idOrName: string,
  signal: AbortSignal,
  log: Logger,
): Promise<{ name: string; value: string }> {
  if (!config.vaultwarden)
    throw new StartError(
      'The configuration names no vault: write the section vaultwarden, as rollcall.example.yml shows it.',
    );
  const env = readEnvironment();
  const { secret } = openSecrets({ env });
  const vault = vaultOf({ clock: systemClock, log, secret }, config.vaultwarden, env);
  try {
    const item = await vault.readItem(idOrName, signal);
    return { name: item.name, value: item.secret.reveal() };
  } catch (error) {
    if (error instanceof VaultError) throw new StartError(error.message);
    throw error;
  }
}

/** Puts a backup in the place of the data's database; answers where the former one was kept. */
export async function restore(backup: string, config: Config, clock: Clock = systemClock): Promise<string | undefined> {
  const mark = stamp(clock()).replaceAll(/[-:.]/g, '').slice(0, 15);
  return await restoreFrom(backup, config.data, `${config.data}/${databaseName}`, mark);
}

function checkedTimeZone(timeZone: string | undefined): string {
  if (timeZone === undefined) return systemTimeZone();
  try {
    return Temporal.Now.zonedDateTimeISO(timeZone).timeZoneId;
  } catch (error) {
    throw new StartError(`timezone: ${timeZone} is not a time zone; write one such as Europe/Berlin or UTC.`, {
      cause: error,
    });
  }
}
