/** What tests use of the simulator; it is JavaScript, so that it runs wherever Node does. */

export interface SimStats {
  total: number;
  /** By `GET /path/of/{vmid}`. */
  paths: Record<string, number>;
  peak: number;
  connections: number;
}

export interface SimGuest {
  vmid: number;
  type: 'qemu' | 'lxc';
  node: string;
  name: string;
  template: boolean;
  running: boolean;
  uuid?: string;
  tags: string[];
  pool: string | null;
  macs: string[];
  addresses: string[];
}

export interface SimRule {
  match?: string;
  kind: 'latency' | 'status' | 'reset' | 'hang' | 'truncate' | 'drip' | 'badjson' | 'html' | 'empty' | 'nulldata';
  rate?: number;
  times?: number;
  ms?: number;
  status?: number;
  message?: string;
}

export interface Sim {
  url: string;
  fingerprint: string | undefined;
  certificate: string | undefined;
  /** One change of the estate, as `/__sim/do` makes it. */
  do(op: string, params?: Record<string, unknown>): unknown;
  fault(rule: SimRule): void;
  clearFaults(): void;
  set(values: Record<string, number>): void;
  stats(): SimStats;
  resetStats(): void;
  truth(): { nodes: { node: string; online: boolean; ip: string }[]; guests: SimGuest[] };
  /** Its clock goes on. */
  pass(seconds: number): void;
  close(): Promise<void>;
}

/** With the options of the command line. */
export function startSim(options: readonly string[]): Promise<Sim>;
