/** What /metrics says of the service, in the text format of Prometheus. */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Store } from '../store/open.ts';

export interface Metrics {
  registry: Registry;
  answered(method: string, path: string, status: number, seconds: number): void;
  refusedWrite(path: string): void;
}

export function openMetrics(store: Store): Metrics {
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
  return {
    registry,
    answered(method, path, status, seconds) {
      requests.inc({ method, path, status });
      duration.observe({ method, path }, seconds);
    },
    refusedWrite: (path) => refused.inc({ path }),
  };
}
