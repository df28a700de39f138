/** What tests use of the simulator; it is JavaScript, so that it runs wherever Node does. */

export interface SimFault {
  method?: string;
  /** A regular expression over path and query. */
  path?: string;
  skip?: number;
  /** 1 unless given; -1 is always. */
  times?: number;
  action:
    | 'secondary'
    | 'primary'
    | 'status'
    | 'hang'
    | 'reset'
    | 'slow'
    | 'commit-then-502'
    | 'commit-then-500'
    | 'commit-then-reset'
    | 'commit-then-hang'
    | 'bad-json';
  status?: number;
  message?: string;
  body?: unknown;
  raw?: string;
  headers?: Record<string, string>;
  /** null sends no header. */
  retryAfter?: number | null;
  delayMs?: number;
}

export interface SimCall {
  method: string;
  path: string;
  query: Record<string, string>;
  body?: unknown;
  apiVersion: string | null;
  userAgent: string | null;
  status: number | string | null;
}

export interface SimIssue {
  number: number;
  title: string;
  body: string | null;
  state: 'open' | 'closed';
  state_reason: string | null;
  labels: { name: string; color: string }[];
  assignees: { login: string }[];
  pull_request?: unknown;
  comments: number;
}

/** As the simulator has it. */
export interface SimKept {
  number: number;
  state: 'open' | 'closed';
  body: string | null;
  pull: boolean;
  deleted?: boolean;
  transferredTo?: string;
}

export interface SimOptions {
  repos?: string[];
  user?: string;
  token?: string;
  tokenExpiration?: string;
  collaborators?: string[];
  push?: boolean;
  issuesPermission?: 'write' | 'read' | 'none';
  hasIssues?: boolean;
  archived?: boolean;
  rateLimit?: number;
  contentPerMinute?: number;
  contentPerHour?: number;
  /** By whose milliseconds issues are dated; the machine's unless it is given. */
  now?: () => number;
}

export interface GithubSim {
  url: string;
  port: number;
  /** May be changed while it runs. */
  options: SimOptions;
  log: SimCall[];
  state: {
    repos: Map<
      string,
      {
        issues: Map<number, SimKept>;
        labels: Map<string, { name: string; color: string }>;
        comments: Map<number, { issue: number; body: string }>;
      }
    >;
  };
  addFault(fault: SimFault): void;
  clearFaults(): void;
  issues(repository?: string): SimIssue[];
  /** Ends every connection. */
  close(): Promise<void>;
}

export function startGithubSim(options?: SimOptions): Promise<GithubSim>;
