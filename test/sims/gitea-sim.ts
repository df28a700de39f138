/**
 * A stand-in for the part of the API of Gitea and Forgejo that keeps issues, and where it differs from GitHub's: labels
 * by number, colours with #, `limit` and X-Total-Count, no reason for closing, lists that are replaced as a whole.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Label {
  id: number;
  name: string;
  color: string;
  description: string;
}

export interface GiteaIssue {
  number: number;
  title: string;
  body: string;
  state: 'open' | 'closed';
  labels: Label[];
  assignees: string[];
  comments: string[];
  isPull: boolean;
  author: string;
}

export interface GiteaSim {
  url: string;
  issues: GiteaIssue[];
  labels: Label[];
  /** As `METHOD path?query`, with what was sent. */
  log: { call: string; body: unknown; authorization: string | undefined }[];
  /** Statuses with which the next calls of a path are answered, done or not. */
  faults: { path: RegExp; status: number; isDone: boolean }[];
  add: (issue: Partial<GiteaIssue>) => GiteaIssue;
  close: () => Promise<void>;
}

export interface GiteaOptions {
  people?: readonly string[];
  isArchived?: boolean;
  hasIssues?: boolean;
  /** However many are asked for. */
  mostOfPage?: number;
}

class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

interface Asked {
  method: string;
  query: URLSearchParams;
  body: Record<string, unknown>;
  url: URL;
  response: ServerResponse;
}

const repository = 'octo/infra';

export async function startGiteaSim({
  people = ['alice', 'bob'],
  isArchived = false,
  hasIssues = true,
  mostOfPage = 50,
}: GiteaOptions = {}): Promise<GiteaSim> {
  const issues: GiteaIssue[] = [];
  const labels: Label[] = [];
  const log: GiteaSim['log'] = [];
  const faults: GiteaSim['faults'] = [];
  const me = 'rollcall-bot';
  const add: GiteaSim['add'] = (given) => {
    const made: GiteaIssue = {
      number: issues.length + 1,
      title: '',
      body: '',
      state: 'open',
      labels: [],
      assignees: [],
      comments: [],
      isPull: false,
      author: me,
      ...given,
    };
    issues.push(made);
    return made;
  };

  const user = (login: string) => ({ id: 1, login, full_name: '', email: `${login}@example.org` });
  const shown = (issue: GiteaIssue) => ({
    id: 900 + issue.number,
    number: issue.number,
    html_url: `${url}/${repository}/issues/${issue.number}`,
    title: issue.title,
    body: issue.body,
    user: user(issue.author),
    labels: issue.labels,
    assignees: issue.assignees.length === 0 ? null : issue.assignees.map(user),
    state: issue.state,
    comments: issue.comments.length,
    created_at: '2026-03-02T11:00:00+01:00',
    updated_at: '2026-03-02T11:00:00+01:00',
    closed_at: issue.state === 'closed' ? '2026-03-02T12:00:00+01:00' : null,
    pull_request: issue.isPull ? { merged: false } : null,
    due_date: null,
  });

  function page<T>({ query, url: asked, response }: Asked, rows: readonly T[]): T[] {
    const limit = Math.min(Number(query.get('limit') ?? 30), mostOfPage);
    const at = Number(query.get('page') ?? 1);
    response.setHeader('X-Total-Count', rows.length);
    if (at * limit < rows.length) {
      const next = new URL(asked);
      next.searchParams.set('page', String(at + 1));
      // Of whom it takes itself for, which need not be where it is reached.
      next.host = 'gitea.internal';
      response.setHeader('Link', `<${next.href}>; rel="next"`);
    }
    return rows.slice((at - 1) * limit, at * limit);
  }

  function labelsOf(ids: unknown): Label[] {
    if (!Array.isArray(ids) || ids.some((id) => typeof id !== 'number'))
      throw new Refusal(422, 'cannot unmarshal string into Go struct field .labels of type int64');
    return labels.filter(({ id }) => ids.includes(id));
  }

  function assigneesOf(logins: unknown): string[] {
    const asked = (logins ?? []) as string[];
    const unknown = asked.find((login) => !people.includes(login));
    if (unknown !== undefined) throw new Refusal(422, `Assignee does not exist: [name: ${unknown}]`);
    return asked;
  }

  function answer(path: string, asked: Asked): [status: number, body?: unknown] {
    const { method, query, body } = asked;
    if (path === '/user') return [200, user(me)];
    if (!path.startsWith(`/repos/${repository}`)) throw new Refusal(404, 'not found');
    const [what, number, part] = path.slice(`/repos/${repository}`.length).split('/').slice(1);
    if (what === undefined) return [200, aboutRepository()];
    if (what === 'assignees') return [200, people.map(user)];
    if (what === 'labels' && method === 'GET') return [200, page(asked, labels)];
    if (method !== 'GET' && isArchived) throw new Refusal(423, 'Repository is archived');
    if (what === 'labels') {
      const { name, color, description = '' } = body as Partial<Label>;
      if (!/^#[0-9a-f]{6}$/i.test(color ?? '')) throw new Refusal(422, '[Color]: Required');
      labels.push({ id: 70 + labels.length, name: String(name), color: String(color).slice(1), description });
      return [201, labels.at(-1)];
    }
    if (!hasIssues) throw new Refusal(404, 'The target could not be found.');
    if (number === undefined) return method === 'POST' ? [201, create(body)] : [200, listOf(asked)];
    const issue = issues.find((one) => String(one.number) === number);
    if (!issue) throw new Refusal(404, 'issue does not exist');
    if (part === 'labels' && method === 'PUT') {
      issue.labels = labelsOf(body.labels);
      return [200, issue.labels];
    }
    if (part === 'comments') {
      if (method === 'POST') issue.comments.push(String(body.body));
      const rows = issue.comments.map((comment, index) => ({ id: index, user: user(me), body: comment }));
      return method === 'POST' ? [201, rows.at(-1)] : [200, rows];
    }
    if (method === 'GET') return [200, shown(issue)];
    if (query.size > 0 || method !== 'PATCH' || part !== undefined) throw new Refusal(404, 'not found');
    if (body.labels !== undefined) throw new Error('Labels are not changed so.');
    if (body.state_reason !== undefined) throw new Error('There are no reasons.');
    if (body.assignees !== undefined) issue.assignees = assigneesOf(body.assignees);
    Object.assign(issue, { ...body, assignees: issue.assignees });
    return [201, shown(issue)];
  }

  function aboutRepository() {
    return {
      id: 11,
      full_name: repository,
      archived: isArchived,
      has_issues: hasIssues,
      permissions: { admin: false, push: true, pull: true },
    };
  }

  function create({ title, body, labels: ids, assignees }: Record<string, unknown>) {
    const chosen = labelsOf(ids);
    const given = assigneesOf(assignees);
    return shown(add({ title: String(title), body: String(body), labels: chosen, assignees: given }));
  }

  function listOf(asked: Asked) {
    const { query } = asked;
    const state = query.get('state') ?? 'open';
    const rows = issues.filter(
      (issue) => (state === 'all' || issue.state === state) && (query.get('type') !== 'issues' || !issue.isPull),
    );
    return page(asked, rows.map(shown));
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = (await request.setEncoding('utf8').toArray()).join('');
    const asked = new URL(request.url ?? '', url);
    const path = asked.pathname.slice('/api/v1'.length);
    const { method = 'GET', headers } = request;
    const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
    log.push({ call: `${method} ${path}${asked.search}`, body, authorization: headers.authorization });
    const say = (status: number, told: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json;charset=utf-8' }).end(JSON.stringify(told));
    };
    const index = faults.findIndex((one) => one.path.test(path));
    const fault = index < 0 ? undefined : faults.splice(index, 1)[0];
    try {
      if (!asked.pathname.startsWith('/api/v1/')) throw new Refusal(404, 'not found');
      const [status, told] =
        fault && !fault.isDone ? [] : answer(path, { method, query: asked.searchParams, body, url: asked, response });
      if (fault) say(fault.status, { message: 'fault', url: `${url}/api/swagger` });
      else say(status ?? 500, told);
    } catch (error) {
      say(error instanceof Refusal ? error.status : 500, { message: String(error), url: `${url}/api/swagger` });
    }
  }

  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `${url}/api/v1`,
    issues,
    labels,
    log,
    faults,
    add,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
