/** What /metrics says of the service, in the text format of Prometheus. */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Store } from '../store/open.ts';
import type { Peers } from './peers.ts';

export interface Metrics {
  registry: Registry;
  answered(method: string, path: string, status: number, seconds: number): void;
  refusedWrite(path: string): void;
  /** An attempt to call somebody else's system ended. */
  called(peer: string, outcome: string, seconds: number): void;
}

/** What others know, and is asked of them when somebody looks. */
export interface Figures {
  name: string;
  help: string;
  /** By this label, a value each; or one without. */
  label?: string;
  read: () => Promise<Readonly<Record<string, number>>>;
}

export function openMetrics(store: Store, peers: Peers, figures: readonly Figures[] = []): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, prefix: 'rollcall_' });
  const requests = new Counter({
    name: 'rollcall_http_requests_total',
    help: 'Requests answered',
    labelNames: ['method', 'path', 'status'],
    registers,
  });
  const duration = new Histogram({
    name: 'rollcall_http_request_duration_seconds',
    help: 'Time from request to answer',
    labelNames: ['method', 'path'],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
    registers,
  });
  const refused = new Counter({
    name: 'rollcall_http_refused_writes_total',
    help: 'Writes that were refused',
    labelNames: ['path'],
    registers,
  });
  new Gauge({
    name: 'rollcall_store_waiting_writes',
    help: 'Writes that wait, the running one included',
    registers,
    collect() {
      this.set(store.waiting());
    },
  });
  const calls = new Counter({
    name: 'rollcall_outbound_requests_total',
    help: 'Requests to other systems, by how they went',
    labelNames: ['peer', 'outcome'],
    registers,
  });
  const callDuration = new Histogram({
    name: 'rollcall_outbound_request_duration_seconds',
    help: 'Time from a request to another system to the end of its answer',
    labelNames: ['peer'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 5, 15],
    registers,
  });
  new Gauge({
    name: 'rollcall_outbound_breaker_open',
    help: '1 while another system is down and left alone',
    labelNames: ['peer'],
    registers,
    collect() {
      this.reset();
      for (const { name, state } of peers()) this.set({ peer: name }, state === 'down' ? 1 : 0);
    },
  });
  for (const { name, help, label, read } of figures)
    new Gauge({
      name,
      help,
      labelNames: label === undefined ? [] : [label],
      registers,
      async collect() {
        this.reset();
        for (const [value, number] of Object.entries(await read()))
          this.set(label === undefined ? {} : { [label]: value }, number);
      },
    });
  return {
    registry,
    answered(method, path, status, seconds) {
      requests.inc({ method, path, status });
      duration.observe({ method, path }, seconds);
    },
    refusedWrite: (path) => refused.inc({ path }),
    called(peer, outcome, seconds) {
      calls.inc({ peer, outcome });
      callDuration.observe({ peer }, seconds);
    },
  };
}
