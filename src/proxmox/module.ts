/** Clusters of Proxmox VE as a module: what it needs, and what it brings. */

import { readFileSync } from 'node:fs';
import type { Static } from 'typebox';
import { StartError } from '../errors.ts';
import type { House, Module, Opened } from '../module.ts';
import { checkCluster } from './checks.ts';
import { openApi } from './client.ts';
import { openDiscovery, sourceOf } from './discovery.ts';
import { discoveryJobs, jobNames } from './job.ts';
import { clusterEndpoints } from './routes.ts';
import { type ClusterSettings, millisecondsOf, proxmoxSettings } from './settings.ts';
import { watchJob, watchJobName } from './watch.ts';

export const proxmoxModule: Module<typeof proxmoxSettings> = {
  name: 'proxmox',
  settings: proxmoxSettings,
  open(house: House, settings: Static<typeof proxmoxSettings>): Opened {
    const { clusters } = settings;
    refuseTwins(clusters);
    const pace = {
      refreshMilliseconds: millisecondsOf(settings.refresh),
      agentRefreshMilliseconds: millisecondsOf(settings.agent_refresh),
    };
    const sources = clusters.map(sourceOf);
    const opened = clusters.map((cluster) => {
      const { name, addresses, ca, fingerprint, token } = cluster;
      const peer = {
        name: `proxmox:${name}`,
        addresses,
        ...(ca === undefined ? {} : { ca: readAuthority(name, ca) }),
        ...(fingerprint === undefined ? {} : { fingerprint }),
      };
      // The node closes what is idle for 5 seconds.
      const outbound = house.outbound(peer, { attempts: 2, atOnce: 6, keepAliveMs: 4000 });
      const neighbours = clusters.filter(({ site }) => site === cluster.site).map(sourceOf);
      const discovery = openDiscovery({ ...house, settings: cluster, pace, neighbours });
      const secret = (signal?: AbortSignal) => house.secret(token, signal);
      const open = (signal?: AbortSignal) => openApi(outbound, secret, signal);
      return { name, discovery, open, token: secret };
    });
    return {
      endpoints: clusterEndpoints(opened, house.store),
      checks: opened.map(
        ({ name, open, token }) =>
          () =>
            checkCluster(name, () => open(), token),
      ),
      jobs: [watchJob(house.store, house.clock, sources), ...opened.flatMap(discoveryJobs)],
    };
  },
};

/** Two clusters of one name, or one that is called as a job of another. */
function refuseTwins(clusters: readonly ClusterSettings[]): void {
  const names = clusters.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new StartError(`proxmox.clusters: two clusters are called ${twice}.`);
  const jobs = names.flatMap((name) => Object.values(jobNames(name)));
  const taken = [watchJobName, ...jobs].find((name, index, all) => all.indexOf(name) !== index);
  if (taken !== undefined)
    throw new StartError(
      `proxmox.clusters: two jobs would be called ${taken}; call no cluster sources, and none as another with -light or -guest behind it.`,
    );
}

function readAuthority(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new StartError(
      `proxmox.clusters ${name}: the CA in ${file} cannot be read. It is a copy of /etc/pve/pve-root-ca.pem of one of its nodes.`,
      { cause: error },
    );
  }
}
