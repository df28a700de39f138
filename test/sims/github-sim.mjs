#!/usr/bin/env node
import crypto from 'node:crypto';
import fs from 'node:fs';
// A stand-in for the part of GitHub's REST API that keeps issues, and for its sender of webhooks: it answers as GitHub
// does, keeps its state in memory, and goes wrong in each way that is asked for. --help says how it is run by itself.
// A fault is {method?, path? (regular expression), skip?, times? (1; -1 always), action}, with the actions secondary,
// primary, status, hang, reset, slow, bad-json, and commit-then-502, -500, -reset, -hang: done, and told as a failure.
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const DEFAULTS = {
  port: 0,
  host: '127.0.0.1',
  repos: ['octo/infra'],
  user: 'rollcall-bot',
  userType: 'User',
  token: null,
  tokenExpiration: null,
  collaborators: ['alice', 'bob'],
  push: true,
  issuesPermission: 'write',
  hasIssues: true,
  archived: false,
  private: false,
  rateLimit: 5000,
  rateWindowS: 3600,
  searchLimit: 30,
  contentPerMinute: 80,
  contentPerHour: 500,
  searchLagMs: 15000,
  listLagMs: 0,
  latencyMs: 0,
  hookUrl: null,
  hookSecret: null,
  hookEvents: ['*'],
  hookContentType: 'json',
  hookTimeoutMs: 10000,
  faults: [],
  logBodies: true,
  quiet: true,
  seed: null,
  // By whose milliseconds issues are dated; the machine's unless it is given.
  now: null,
};
const DOC = 'https://docs.github.com/rest';
const STATUS_TEXT = { 304: 'Not Modified' };
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const sha = (s) => crypto.createHash('sha256').update(s).digest('hex');
const nodeId = (p, n) => `${p}_kwDO${Buffer.from(String(n)).toString('base64url')}`;
const lc = (s) => String(s).toLowerCase();

export async function startGithubSim(options = {}) {
  const O = { ...DEFAULTS, ...options };
  const S = {
    repos: new Map(),
    users: new Map(),
    nextId: 1000,
    log: [],
    faults: [],
    deliveries: [],
    rate: {},
    content: [],
    base: '',
  };
  const inflight = new Set();
  const isoNow = () => new Date(O.now?.() ?? Date.now()).toISOString().replace(/\.\d+Z$/, 'Z');
  const freshRate = () => {
    S.rate = {
      core: { limit: O.rateLimit, used: 0, reset: Math.floor(Date.now() / 1000) + O.rateWindowS },
      search: { limit: O.searchLimit, used: 0, reset: Math.floor(Date.now() / 1000) + 60 },
    };
  };
  freshRate();
  for (const f of O.faults) addFault(f);

  /* ---------------------------------------------------------------- objects, in the shapes of the published API description */
  function user(login, type = 'User') {
    if (!S.users.has(login)) S.users.set(login, { login, type, id: S.users.size + 1 });
    const u = S.users.get(login),
      a = `${S.base}/users/${login}`;
    return {
      login,
      id: u.id,
      node_id: nodeId('U', u.id),
      avatar_url: `https://avatars.githubusercontent.com/u/${u.id}?v=4`,
      gravatar_id: '',
      url: a,
      html_url: `https://github.com/${login}`,
      followers_url: `${a}/followers`,
      following_url: `${a}/following{/other_user}`,
      gists_url: `${a}/gists{/gist_id}`,
      starred_url: `${a}/starred{/owner}{/repo}`,
      subscriptions_url: `${a}/subscriptions`,
      organizations_url: `${a}/orgs`,
      repos_url: `${a}/repos`,
      events_url: `${a}/events{/privacy}`,
      received_events_url: `${a}/received_events`,
      type: u.type,
      user_view_type: 'public',
      site_admin: false,
    };
  }
  function addRepo(full, extra = {}) {
    const [owner, name] = full.split('/');
    const r = {
      id: 100000 + S.repos.size + 1,
      owner,
      name,
      issues: new Map(),
      labels: new Map(),
      comments: new Map(),
      next: 1,
      hooks: [],
      created: isoNow(),
      ...extra,
    };
    for (const [n, c, d] of [
      ['bug', 'd73a4a', "Something isn't working"],
      ['documentation', '0075ca', 'Improvements or additions to documentation'],
      ['duplicate', 'cfd3d7', 'This issue or pull request already exists'],
      ['enhancement', 'a2eeef', 'New feature or request'],
      ['good first issue', '7057ff', 'Good for newcomers'],
      ['help wanted', '008672', 'Extra attention is needed'],
      ['invalid', 'e4e669', "This doesn't seem right"],
      ['question', 'd876e3', 'Further information is requested'],
      ['wontfix', 'ffffff', 'This will not be worked on'],
    ])
      mkLabel(r, n, c, d, true);
    if (O.hookUrl)
      r.hooks.push({
        id: 5000 + S.repos.size,
        url: O.hookUrl,
        secret: O.hookSecret,
        events: O.hookEvents,
        contentType: O.hookContentType,
      });
    S.repos.set(lc(full), r);
    return r;
  }
  function mkLabel(r, name, color = 'ededed', description = null, def = false) {
    const l = { id: S.nextId++, name, color, description, default: def };
    r.labels.set(lc(name), l);
    return l;
  }
  const rurl = (r) => `${S.base}/repos/${r.owner}/${r.name}`;
  const hurl = (r) => `https://github.com/${r.owner}/${r.name}`;
  const outLabel = (r, l) => ({
    id: l.id,
    node_id: nodeId('LA', l.id),
    url: `${rurl(r)}/labels/${encodeURIComponent(l.name)}`,
    name: l.name,
    color: l.color,
    default: l.default,
    description: l.description,
  });
  function outRepo(r, full = true) {
    const u = rurl(r),
      h = hurl(r),
      o = {
        id: r.id,
        node_id: nodeId('R', r.id),
        name: r.name,
        full_name: `${r.owner}/${r.name}`,
        private: O.private,
        owner: user(r.owner, 'Organization'),
        html_url: h,
        description: null,
        fork: false,
        url: u,
      };
    for (const [k, s] of Object.entries({
      forks: '/forks',
      keys: '/keys{/key_id}',
      collaborators: '/collaborators{/collaborator}',
      teams: '/teams',
      hooks: '/hooks',
      issue_events: '/issues/events{/number}',
      events: '/events',
      assignees: '/assignees{/user}',
      branches: '/branches{/branch}',
      tags: '/tags',
      blobs: '/git/blobs{/sha}',
      git_tags: '/git/tags{/sha}',
      git_refs: '/git/refs{/sha}',
      trees: '/git/trees{/sha}',
      statuses: '/statuses/{sha}',
      languages: '/languages',
      stargazers: '/stargazers',
      contributors: '/contributors',
      subscribers: '/subscribers',
      subscription: '/subscription',
      commits: '/commits{/sha}',
      git_commits: '/git/commits{/sha}',
      comments: '/comments{/number}',
      issue_comment: '/issues/comments{/number}',
      contents: '/contents/{+path}',
      compare: '/compare/{base}...{head}',
      merges: '/merges',
      archive: '/{archive_format}{/ref}',
      downloads: '/downloads',
      issues: '/issues{/number}',
      pulls: '/pulls{/number}',
      milestones: '/milestones{/number}',
      notifications: '/notifications{?since,all,participating}',
      labels: '/labels{/name}',
      releases: '/releases{/id}',
      deployments: '/deployments',
    }))
      o[`${k}_url`] = u + s;
    const open = [...r.issues.values()].filter((i) => i.state === 'open').length;
    Object.assign(o, {
      created_at: r.created,
      updated_at: r.created,
      pushed_at: r.created,
      git_url: `git://github.com/${r.owner}/${r.name}.git`,
      ssh_url: `git@github.com:${r.owner}/${r.name}.git`,
      clone_url: `${h}.git`,
      svn_url: h,
      homepage: null,
      size: 1,
      stargazers_count: 0,
      watchers_count: 0,
      language: null,
      has_issues: O.hasIssues,
      has_projects: true,
      has_downloads: true,
      has_wiki: true,
      has_pages: false,
      has_discussions: false,
      forks_count: 0,
      mirror_url: null,
      archived: O.archived,
      disabled: false,
      open_issues_count: open,
      license: null,
      allow_forking: true,
      is_template: false,
      web_commit_signoff_required: false,
      has_pull_requests: true,
      pull_request_creation_policy: 'all',
      topics: [],
      visibility: O.private ? 'private' : 'public',
      forks: 0,
      open_issues: open,
      watchers: 0,
      default_branch: 'main',
      permissions: { admin: false, maintain: false, push: O.push, triage: O.push, pull: true },
    });
    if (full) Object.assign(o, { temp_clone_token: '', network_count: 0, subscribers_count: 1 });
    return o;
  }
  function outIssue(r, i) {
    const u = `${rurl(r)}/issues/${i.number}`;
    const o = {
      url: u,
      repository_url: rurl(r),
      labels_url: `${u}/labels{/name}`,
      comments_url: `${u}/comments`,
      events_url: `${u}/events`,
      html_url: `${hurl(r)}/${i.pull ? 'pull' : 'issues'}/${i.number}`,
      id: i.id,
      node_id: nodeId(i.pull ? 'PR' : 'I', i.id),
      number: i.number,
      title: i.title,
      user: user(i.user),
      labels: i.labels
        .map((k) => r.labels.get(k))
        .filter(Boolean)
        .map((l) => outLabel(r, l)),
      state: i.state,
      locked: i.locked,
      assignee: i.assignees[0] ? user(i.assignees[0]) : null,
      assignees: i.assignees.map((a) => user(a)),
      milestone: null,
      comments: i.comments,
      created_at: i.created_at,
      updated_at: i.updated_at,
      closed_at: i.closed_at,
      author_association: i.user === O.user ? 'COLLABORATOR' : 'CONTRIBUTOR',
      active_lock_reason: null,
      sub_issues_summary: { total: 0, completed: 0, percent_completed: 0 },
      issue_dependencies_summary: { blocked_by: 0, total_blocked_by: 0, blocking: 0, total_blocking: 0 },
      body: i.body,
      reactions: reactions(u),
      timeline_url: `${u}/timeline`,
      performed_via_github_app: null,
      state_reason: i.state_reason,
    };
    if (i.pull)
      o.pull_request = {
        url: `${rurl(r)}/pulls/${i.number}`,
        html_url: `${hurl(r)}/pull/${i.number}`,
        diff_url: `${hurl(r)}/pull/${i.number}.diff`,
        patch_url: `${hurl(r)}/pull/${i.number}.patch`,
        merged_at: null,
      };
    if (i.closed_by !== undefined) o.closed_by = i.closed_by ? user(i.closed_by) : null;
    return o;
  }
  const reactions = (u) => ({
    url: `${u}/reactions`,
    total_count: 0,
    '+1': 0,
    '-1': 0,
    laugh: 0,
    hooray: 0,
    confused: 0,
    heart: 0,
    rocket: 0,
    eyes: 0,
  });
  const outComment = (r, c) => ({
    url: `${rurl(r)}/issues/comments/${c.id}`,
    html_url: `${hurl(r)}/issues/${c.issue}#issuecomment-${c.id}`,
    issue_url: `${rurl(r)}/issues/${c.issue}`,
    id: c.id,
    node_id: nodeId('IC', c.id),
    user: user(c.user),
    created_at: c.created_at,
    updated_at: c.updated_at,
    body: c.body,
    author_association: 'COLLABORATOR',
    reactions: reactions(`${rurl(r)}/issues/comments/${c.id}`),
    performed_via_github_app: null,
  });
  function newIssue(r, f) {
    const now = isoNow(),
      i = {
        id: S.nextId++,
        number: r.next++,
        title: 'untitled',
        body: null,
        user: O.user,
        labels: [],
        assignees: [],
        state: 'open',
        state_reason: null,
        locked: false,
        comments: 0,
        created_at: now,
        updated_at: now,
        closed_at: null,
        closed_by: null,
        pull: false,
        visibleAt: Date.now() + O.listLagMs,
        indexedAt: Date.now() + O.searchLagMs,
        ...f,
      };
    r.issues.set(i.number, i);
    return i;
  }

  /* ---------------------------------------------------------------- errors */
  class Stop extends Error {
    constructor(status, body, headers = {}) {
      super('stop');
      Object.assign(this, { status, body, headers });
    }
  }
  const fail = (status, message, doc = DOC, extra = {}, headers = {}) =>
    new Stop(status, { message, ...extra, documentation_url: doc, status: String(status) }, headers);
  const invalid = (errors, doc) => fail(422, 'Validation Failed', doc, { errors });
  const D = (s) => `${DOC}/issues/${s}`;

  /* ---------------------------------------------------------------- faults */
  // {method?, path? (regular expression), skip?: n, times?: n (default 1, -1 = always), action, …}
  function addFault(f) {
    const x = { times: 1, skip: 0, ...f, hits: 0 };
    S.faults.push(x);
    return x;
  }
  function takeFault(method, p) {
    for (const f of S.faults) {
      if (f.times === 0) continue;
      if (f.method && f.method.toUpperCase() !== method) continue;
      if (f.path && !new RegExp(f.path).test(p)) continue;
      if (f.skip > 0) {
        f.skip--;
        continue;
      }
      if (f.times > 0) f.times--;
      f.hits++;
      return f;
    }
    return null;
  }
  const secondary = (f = {}) => {
    const h = {};
    if (f.retryAfter !== null) h['retry-after'] = String(f.retryAfter ?? 60);
    return fail(
      f.status ?? 403,
      f.message ??
        'You have exceeded a secondary rate limit and have been temporarily blocked from content creation. Please retry your request again later. If you reach out to GitHub Support for help, please include the request ID.',
      `${DOC}/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits`,
      {},
      h,
    );
  };

  /* ---------------------------------------------------------------- request handling */
  const server = http.createServer((req, res) => {
    const p = handle(req, res).catch((e) => {
      if (!res.headersSent) {
        res.writeHead(500);
        res.end(String(e.stack));
      }
    });
    inflight.add(p);
    void p.finally(() => inflight.delete(p));
  });
  server.keepAliveTimeout = 65000;

  async function handle(req, res) {
    const t0 = Date.now();
    const chunks = [];
    for await (const c of req) chunks.push(c);
    const rawBody = Buffer.concat(chunks).toString('utf8');
    const url = new URL(req.url, `http://${req.headers.host ?? 'localhost'}`);
    S.base = url.origin;
    let p = url.pathname;
    if (p.startsWith('/__sim/')) return admin(req, res, url, rawBody);
    if (p.startsWith('/api/v3/') || p === '/api/v3') {
      p = p.slice(7) || '/';
      S.base = `${url.origin}/api/v3`;
    } // GitHub Enterprise Server prefix
    const entry = {
      n: S.log.length + 1,
      at: new Date(t0).toISOString(),
      method: req.method,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      userAgent: req.headers['user-agent'] ?? null,
      accept: req.headers.accept ?? null,
      apiVersion: req.headers['x-github-api-version'] ?? null,
      ifNoneMatch: req.headers['if-none-match'] ?? null,
      auth: req.headers.authorization
        ? req.headers.authorization.replace(/^(\S+)\s+(.*)$/, (_, a, b) => `${a} …${b.slice(-4)}`)
        : null,
      body: O.logBodies && rawBody ? safeJson(rawBody) : undefined,
      status: null,
      ms: null,
    };
    S.log.push(entry);
    if (O.latencyMs) await sleep(O.latencyMs);
    const fault = takeFault(req.method, url.pathname + url.search);
    if (fault) entry.fault = fault.action;
    const done = (status) => {
      entry.status = status;
      entry.ms = Date.now() - t0;
      if (!O.quiet) console.error(`${entry.method} ${entry.path} ${status}${entry.fault ? ` [${entry.fault}]` : ''}`);
    };
    const ctx = { req, url, p, q: url.searchParams, method: req.method, rawBody };
    let out;
    const act = fault?.action ?? '';
    if (act === 'hang') {
      done('hang');
      return;
    } // socket stays open, no byte is sent
    if (act === 'reset') {
      done('reset');
      req.socket.resetAndDestroy();
      return;
    }
    if (act === 'slow') await sleep(fault.delayMs ?? 3000);
    try {
      precheck(ctx, fault);
      out = await route(ctx);
      if (act.startsWith('commit-then-')) {
        // the change happened, the caller never learns so
        const k = act.slice(12);
        if (k === 'hang') {
          done('hang');
          return;
        }
        if (k === 'reset') {
          done('reset');
          req.socket.resetAndDestroy();
          return;
        }
        out = {
          status: Number(k) || 502,
          raw: '<html><head><title>502 Bad Gateway</title></head></html>',
          headers: { 'content-type': 'text/html' },
        };
      }
    } catch (e) {
      if (!(e instanceof Stop)) throw e;
      out = { status: e.status, body: e.body, raw: e.raw, headers: e.headers };
    }
    if (act === 'bad-json') out = { ...out, raw: JSON.stringify(out.body ?? {}).slice(0, -5) };
    send(ctx, res, out);
    done(out.status);
  }
  const safeJson = (s) => {
    try {
      return JSON.parse(s);
    } catch {
      return s.slice(0, 2000);
    }
  };

  function precheck(ctx, fault) {
    const { req, p, method } = ctx;
    ctx.resource = p.startsWith('/search/') ? 'search' : 'core';
    if (!req.headers['user-agent'])
      throw fail(
        403,
        'Request forbidden by administrative rules. Please make sure your request has a User-Agent header.',
        'https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api#user-agent',
      );
    const a = req.headers.authorization;
    if (a && O.token && a.replace(/^(token|bearer)\s+/i, '') !== O.token) throw fail(401, 'Bad credentials');
    ctx.authed = !!a || !O.token;
    if (O.token && !a && (p === '/user' || method !== 'GET')) throw fail(401, 'Requires authentication');
    const r = S.rate[ctx.resource];
    if (Date.now() / 1000 >= r.reset) {
      r.used = 0;
      r.reset = Math.floor(Date.now() / 1000) + (ctx.resource === 'search' ? 60 : O.rateWindowS);
    }
    if (fault?.action === 'primary') r.used = r.limit;
    if (p !== '/rate_limit') {
      if (r.used >= r.limit)
        throw fail(
          fault?.status ?? 403,
          `API rate limit exceeded for user ID 1. If you reach out to GitHub Support for help, please include the request ID.`,
          `${DOC}/using-the-rest-api/rate-limits-for-the-rest-api`,
        );
      r.used++;
    }
    if (fault?.action === 'secondary') throw secondary(fault);
    if (fault?.action === 'status')
      throw fault.body !== undefined || fault.raw !== undefined
        ? Object.assign(new Stop(fault.status ?? 200, fault.body, fault.headers ?? {}), { raw: fault.raw })
        : fail(
            fault.status ?? 500,
            fault.message ??
              {
                500: 'Server Error',
                502: 'Server Error',
                503: 'Service unavailable',
                404: 'Not Found',
                410: 'Issues has been disabled in this repository.',
              }[fault.status ?? 500] ??
              'Error',
            DOC,
            {},
            fault.headers ?? {},
          );
    if (method === 'POST' && /\/(issues|comments)$/.test(p)) {
      // content creation limits
      const now = Date.now();
      S.content = S.content.filter((t) => now - t < 3600e3);
      if (S.content.length >= O.contentPerHour || S.content.filter((t) => now - t < 60e3).length >= O.contentPerMinute)
        throw secondary({ retryAfter: 60 });
      S.content.push(now);
    }
  }

  function send(ctx, res, out) {
    const r = S.rate[ctx.resource ?? 'core'];
    const h = {
      server: 'github.com',
      date: new Date().toUTCString(),
      'x-github-media-type': 'github.v3; format=json',
      'x-github-request-id': `${crypto.randomBytes(2).toString('hex').toUpperCase()}:${crypto.randomBytes(8).toString('hex').toUpperCase()}`,
      'x-ratelimit-limit': String(r.limit),
      'x-ratelimit-resource': ctx.resource ?? 'core',
      'x-github-api-version-selected': '2022-11-28',
      vary: 'Accept, Authorization, Cookie, X-GitHub-OTP,Accept-Encoding, Accept, X-Requested-With',
    };
    let text = out.raw ?? (out.body === undefined ? '' : JSON.stringify(out.body));
    if (text) h['content-type'] = 'application/json; charset=utf-8';
    let status = out.status;
    if (ctx.method === 'GET' && status === 200) {
      const tag = `W/"${sha(text)}"`;
      Object.assign(h, { etag: tag, 'cache-control': 'private, max-age=60, s-maxage=60' });
      if (out.lastModified) h['last-modified'] = new Date(out.lastModified).toUTCString();
      const inm = ctx.req.headers['if-none-match'];
      if (
        inm
          ?.split(',')
          .map((x) => x.trim().replace(/^W\//, ''))
          .includes(tag.replace(/^W\//, ''))
      ) {
        status = out.status = 304;
        text = '';
        r.used--;
        delete h['content-type'];
      } // a 304 costs nothing
    }
    Object.assign(
      h,
      {
        'x-ratelimit-remaining': String(Math.max(0, r.limit - r.used)),
        'x-ratelimit-used': String(r.used),
        'x-ratelimit-reset': String(r.reset),
      },
      O.tokenExpiration ? { 'github-authentication-token-expiration': O.tokenExpiration } : {},
      out.headers ?? {},
    );
    if (text) h['content-length'] = String(Buffer.byteLength(text));
    res.writeHead(status, STATUS_TEXT[status], h);
    res.end(ctx.method === 'HEAD' ? '' : text);
  }

  function paginate(ctx, r, sub, rows) {
    let per = parseInt(ctx.q.get('per_page') ?? '30', 10);
    if (!(per > 0)) per = 30;
    per = Math.min(per, 100);
    let page = parseInt(ctx.q.get('page') ?? '1', 10);
    if (!(page > 0)) page = 1;
    const last = Math.max(1, Math.ceil(rows.length / per));
    const headers = {};
    const link = (n) => {
      const s = new URLSearchParams(ctx.q);
      s.set('page', String(n));
      return r ? `${S.base}/repositories/${r.id}${sub}?${s}` : `${S.base}${sub}?${s}`;
    }; // numeric repository path, as GitHub does
    const L = [];
    if (page > 1) L.push(`<${link(page - 1)}>; rel="prev"`);
    if (page < last) L.push(`<${link(page + 1)}>; rel="next"`, `<${link(last)}>; rel="last"`);
    if (page > 1) L.push(`<${link(1)}>; rel="first"`);
    if (L.length) headers.link = L.join(', ');
    return { status: 200, headers, body: rows.slice((page - 1) * per, page * per) };
  }

  /* ---------------------------------------------------------------- routes */
  async function route(ctx) {
    const { method: m, p } = ctx;
    const parts = p
      .split('/')
      .filter(Boolean)
      .map((x) => {
        try {
          return decodeURIComponent(x);
        } catch {
          return x;
        }
      });
    if (p === '/')
      return {
        status: 200,
        body: {
          current_user_url: `${S.base}/user`,
          issues_url: `${S.base}/issues`,
          repository_url: `${S.base}/repos/{owner}/{repo}`,
          rate_limit_url: `${S.base}/rate_limit`,
        },
      };
    if (p === '/user' && m === 'GET') {
      const u = user(O.user, O.userType);
      return {
        status: 200,
        body: {
          ...u,
          name: null,
          company: null,
          blog: '',
          location: null,
          email: null,
          hireable: null,
          bio: null,
          twitter_username: null,
          notification_email: null,
          public_repos: 0,
          public_gists: 0,
          followers: 0,
          following: 0,
          created_at: '2024-01-01T00:00:00Z',
          updated_at: '2024-01-01T00:00:00Z',
        },
      };
    }
    if (parts[0] === 'users' && parts.length === 2 && m === 'GET') {
      if (![O.user, ...O.collaborators].map(lc).includes(lc(parts[1])))
        throw fail(404, 'Not Found', `${DOC}/users/users#get-a-user`);
      return {
        status: 200,
        body: {
          ...user(parts[1]),
          name: null,
          company: null,
          blog: '',
          location: null,
          email: null,
          hireable: null,
          bio: null,
          twitter_username: null,
          public_repos: 0,
          public_gists: 0,
          followers: 0,
          following: 0,
          created_at: '2024-01-01T00:00:00Z',
          updated_at: '2024-01-01T00:00:00Z',
        },
      };
    }
    if (p === '/rate_limit' && m === 'GET') {
      const f = (r) => ({ limit: r.limit, used: r.used, remaining: Math.max(0, r.limit - r.used), reset: r.reset });
      return {
        status: 200,
        body: { resources: { core: f(S.rate.core), search: f(S.rate.search) }, rate: f(S.rate.core) },
      };
    }
    if (p === '/installation/repositories' && m === 'GET') {
      const all = [...S.repos.values()].map((r) => outRepo(r, false));
      return { status: 200, body: { total_count: all.length, repository_selection: 'selected', repositories: all } };
    }
    if (p === '/search/issues' && m === 'GET') return searchIssues(ctx);
    let r, rest;
    if (parts[0] === 'repos' && parts.length >= 3) {
      r = S.repos.get(lc(`${parts[1]}/${parts[2]}`));
      rest = parts.slice(3);
      if (r?.movedTo)
        throw new Stop(
          m === 'GET' || m === 'HEAD' ? 301 : 307,
          {
            message: 'Moved Permanently',
            url: `${S.base}/repositories/${r.id}${rest.length ? `/${rest.join('/')}` : ''}`,
            documentation_url: 'https://docs.github.com/v3/#http-redirects',
          },
          { location: `${S.base}/repositories/${r.id}${rest.length ? `/${rest.join('/')}` : ''}${ctx.url.search}` },
        );
    } else if (parts[0] === 'repositories' && parts.length >= 2) {
      r = [...S.repos.values()].find((x) => String(x.id) === parts[1] && !x.movedTo);
      rest = parts.slice(2);
    }
    if (!r || (O.private && !ctx.authed)) throw fail(404, 'Not Found');
    const w = m !== 'GET' && m !== 'HEAD';
    if (rest.length === 0 && m === 'GET') return { status: 200, body: outRepo(r), lastModified: r.created };
    const need = { issues: 'issues', labels: 'issues', assignees: 'metadata' }[rest[0]];
    if (need === 'issues') {
      if (O.issuesPermission === 'none')
        throw fail(
          w || O.private ? 403 : 403,
          'Resource not accessible by personal access token',
          DOC,
          {},
          { 'x-accepted-github-permissions': w ? 'issues=write' : 'issues=read' },
        );
      if (w && O.issuesPermission === 'read')
        throw fail(
          403,
          'Resource not accessible by personal access token',
          DOC,
          {},
          { 'x-accepted-github-permissions': 'issues=write' },
        );
      if (w && O.archived) throw fail(403, 'Repository was archived so is read-only.', D('issues'));
    }
    if (rest[0] === 'issues') return issues(ctx, r, rest.slice(1));
    if (rest[0] === 'labels') return labels(ctx, r, rest[1]);
    if (rest[0] === 'assignees' && m === 'GET') {
      const all = [O.user, ...O.collaborators];
      if (rest[1] === undefined)
        return paginate(
          ctx,
          r,
          '/assignees',
          all.map((a) => user(a)),
        );
      if (all.map(lc).includes(lc(rest[1]))) return { status: 204 };
      throw fail(404, 'Not Found', D('assignees#check-if-a-user-can-be-assigned'));
    }
    if (rest[0] === 'hooks') return hooks(ctx, r, rest.slice(1));
    throw fail(404, 'Not Found');
  }

  function body(ctx) {
    if (!ctx.rawBody) return {};
    let b;
    try {
      b = JSON.parse(ctx.rawBody);
    } catch {
      throw fail(400, 'Problems parsing JSON');
    }
    if (b === null || typeof b !== 'object') throw fail(400, 'Body should be a JSON object');
    return b;
  }
  const canAssign = (a) => [O.user, ...O.collaborators].map(lc).includes(lc(a));
  function checkText(b, doc, creating) {
    const errors = [];
    if (creating && !('title' in b)) throw fail(422, 'Invalid request.\n\n"title" wasn\'t supplied.', doc);
    if ('title' in b && b.title !== null && typeof b.title !== 'string' && typeof b.title !== 'number')
      throw fail(422, `Invalid request.\n\nFor 'properties/title', ${JSON.stringify(b.title)} is not a string.`, doc);
    if ((creating || 'title' in b) && (b.title === null || String(b.title).trim() === ''))
      errors.push({ resource: 'Issue', code: 'missing_field', field: 'title' });
    else if ('title' in b && String(b.title).length > 256)
      errors.push({
        resource: 'Issue',
        code: 'custom',
        field: 'title',
        message: 'title is too long (maximum is 256 characters)',
      });
    if (b.body != null && typeof b.body !== 'string')
      throw fail(422, `Invalid request.\n\nFor 'properties/body', ${JSON.stringify(b.body)} is not a string.`, doc);
    if (b.body != null && b.body.length > 65536)
      errors.push({
        resource: 'Issue',
        code: 'custom',
        field: 'body',
        message: 'body is too long (maximum is 65536 characters)',
      });
    for (const k of ['labels', 'assignees'])
      if (b[k] != null && !Array.isArray(b[k]))
        throw fail(422, `Invalid request.\n\nFor 'properties/${k}', ${JSON.stringify(b[k])} is not an array.`, doc);
    for (const a of b.assignees ?? [])
      if (!canAssign(a)) errors.push({ value: a, resource: 'Issue', field: 'assignees', code: 'invalid' });
    if (errors.length && !(errors.every((e) => e.field === 'assignees') && !O.push)) throw invalid(errors, doc);
  }
  function useLabels(r, arr) {
    // unknown labels are created on the fly, grey; names match without regard to case
    const names = arr.map((l) => (typeof l === 'string' ? l : l?.name)).filter((x) => x != null);
    for (const n of names)
      if (!r.labels.has(lc(n))) {
        if (n.length > 50) throw invalid([{ resource: 'Label', code: 'invalid', field: 'name' }], D('labels'));
        mkLabel(r, n);
      }
    return [...new Set(names.map(lc))];
  }

  async function issues(ctx, r, rest) {
    const { method: m, q } = ctx;
    const touch = (i) => {
      i.updated_at = isoNow();
    };
    if (rest.length === 0) {
      if (m === 'GET') {
        const state = q.get('state') ?? 'open';
        if (!['open', 'closed', 'all'].includes(state))
          throw invalid(
            [{ value: state, resource: 'Issue', field: 'state', code: 'invalid' }],
            D('issues#list-repository-issues'),
          );
        const want = (q.get('labels') ?? '')
          .split(',')
          .map((x) => lc(x.trim()))
          .filter(Boolean);
        const since = q.get('since') ? Date.parse(q.get('since')) : 0,
          asg = q.get('assignee'),
          cr = q.get('creator');
        let rows = [...r.issues.values()].filter(
          (i) =>
            i.visibleAt <= Date.now() &&
            !i.deleted &&
            !i.transferredTo &&
            (state === 'all' || i.state === state) &&
            want.every((l) => i.labels.includes(l)) &&
            Date.parse(i.updated_at) >= since &&
            (!cr || lc(i.user) === lc(cr)) &&
            (!asg || asg === '*'
              ? asg !== '*' || i.assignees.length
              : asg === 'none'
                ? !i.assignees.length
                : i.assignees.map(lc).includes(lc(asg))),
        );
        if (!O.hasIssues) rows = rows.filter((i) => i.pull);
        const key =
            { updated: 'updated_at', comments: 'comments', created: 'number' }[q.get('sort') ?? 'created'] ?? 'number',
          dir = q.get('direction') === 'asc' ? 1 : -1;
        rows.sort((a, b) => (a[key] < b[key] ? -1 : a[key] > b[key] ? 1 : a.number - b.number) * dir);
        const pg = paginate(ctx, r, '/issues', rows);
        pg.body = pg.body.map((i) => {
          const o = outIssue(r, i);
          delete o.closed_by;
          return o;
        });
        return pg;
      }
      if (m === 'POST') {
        if (!O.hasIssues)
          throw fail(410, 'Issues has been disabled in this repository.', 'https://docs.github.com/v3/issues/');
        const b = body(ctx);
        checkText(b, D('issues#create-an-issue'), true);
        const i = newIssue(r, {
          title: String(b.title),
          body: b.body ?? null,
          labels: O.push && b.labels ? useLabels(r, b.labels) : [],
          assignees: O.push ? [...new Set(b.assignees ?? (b.assignee ? [b.assignee] : []))] : [],
        });
        emit(r, 'issues', { action: 'opened', issue: outIssue(r, i) });
        for (const l of i.labels)
          emit(r, 'issues', { action: 'labeled', issue: outIssue(r, i), label: outLabel(r, r.labels.get(l)) });
        return { status: 201, body: outIssue(r, i), headers: { location: `${rurl(r)}/issues/${i.number}` } };
      }
    }
    if (rest[0] === 'comments') {
      const c = r.comments.get(Number(rest[1]));
      if (rest[1] === undefined && m === 'GET')
        return paginate(
          ctx,
          r,
          '/issues/comments',
          [...r.comments.values()].map((x) => outComment(r, x)),
        );
      if (!c) throw fail(404, 'Not Found', D('comments'));
      if (m === 'GET') return { status: 200, body: outComment(r, c) };
      if (m === 'PATCH') {
        const b = body(ctx);
        c.body = String(b.body);
        c.updated_at = isoNow();
        return { status: 200, body: outComment(r, c) };
      }
      if (m === 'DELETE') {
        r.comments.delete(c.id);
        const i = r.issues.get(c.issue);
        i.comments--;
        return { status: 204 };
      }
    }
    const i = r.issues.get(Number(rest[0]));
    if (!i) throw fail(404, 'Not Found', D('issues#get-an-issue'));
    if (i.deleted) throw fail(410, 'This issue was deleted', D('issues#get-an-issue'));
    if (i.transferredTo)
      throw new Stop(
        301,
        {
          message: 'Moved Permanently',
          url: i.transferredTo,
          documentation_url: 'https://docs.github.com/v3/#http-redirects',
        },
        { location: i.transferredTo },
      );
    const sub = rest[1];
    if (sub === undefined) {
      if (m === 'GET') return { status: 200, body: outIssue(r, i), lastModified: i.updated_at };
      if (m === 'PATCH') {
        const b = body(ctx);
        checkText(b, D('issues#update-an-issue'), false);
        return { status: 200, body: patchIssue(r, i, b, O.user) };
      }
    }
    if (sub === 'comments') {
      if (m === 'GET') {
        const since = q.get('since') ? Date.parse(q.get('since')) : 0;
        return paginate(
          ctx,
          r,
          `/issues/${i.number}/comments`,
          [...r.comments.values()]
            .filter((c) => c.issue === i.number && Date.parse(c.updated_at) >= since)
            .map((c) => outComment(r, c)),
        );
      }
      if (m === 'POST') {
        const b = body(ctx);
        if (!('body' in b))
          throw fail(422, 'Invalid request.\n\n"body" wasn\'t supplied.', D('comments#create-an-issue-comment'));
        if (typeof b.body !== 'string' || b.body.trim() === '')
          throw invalid(
            [{ resource: 'IssueComment', code: 'missing_field', field: 'body' }],
            D('comments#create-an-issue-comment'),
          );
        if (b.body.length > 65536)
          throw invalid(
            [
              {
                resource: 'IssueComment',
                code: 'unprocessable',
                field: 'data',
                message: 'Body is too long (maximum is 65536 characters)',
              },
            ],
            D('comments#create-an-issue-comment'),
          );
        if (i.locked && !O.push) throw fail(403, 'Unable to create comment because issue is locked.', D('comments'));
        const c = addComment(r, i, b.body, O.user);
        return { status: 201, body: outComment(r, c), headers: { location: `${rurl(r)}/issues/comments/${c.id}` } };
      }
    }
    if (sub === 'labels') {
      const all = () => i.labels.map((l) => outLabel(r, r.labels.get(l)));
      if (m === 'GET') return paginate(ctx, r, `/issues/${i.number}/labels`, all());
      if (m === 'POST' || m === 'PUT') {
        const b = body(ctx),
          add = useLabels(r, Array.isArray(b) ? b : (b.labels ?? []));
        const before = i.labels;
        i.labels = m === 'PUT' ? add : [...new Set([...i.labels, ...add])];
        touch(i);
        for (const l of i.labels.filter((x) => !before.includes(x)))
          emit(r, 'issues', { action: 'labeled', issue: outIssue(r, i), label: outLabel(r, r.labels.get(l)) });
        return { status: 200, body: all() };
      }
      if (m === 'DELETE' && rest[2] === undefined) {
        i.labels = [];
        touch(i);
        return { status: 204 };
      }
      if (m === 'DELETE') {
        if (!i.labels.includes(lc(rest[2])))
          throw fail(404, 'Label does not exist', D('labels#remove-a-label-from-an-issue'));
        i.labels = i.labels.filter((l) => l !== lc(rest[2]));
        touch(i);
        return { status: 200, body: all() };
      }
    }
    if (sub === 'assignees' && (m === 'POST' || m === 'DELETE')) {
      // here unknown people are dropped without a word
      const b = body(ctx),
        who = b.assignees ?? [];
      i.assignees =
        m === 'POST'
          ? [...new Set([...i.assignees, ...(O.push ? who.filter(canAssign) : [])])].slice(0, 10)
          : i.assignees.filter((a) => !who.map(lc).includes(lc(a)));
      touch(i);
      return { status: m === 'POST' ? 201 : 200, body: outIssue(r, i) };
    }
    if (sub === 'lock') {
      i.locked = m === 'PUT';
      return { status: 204 };
    }
    throw fail(404, 'Not Found');
  }
  function patchIssue(r, i, b, actor) {
    const acts = [];
    if (b.title != null && String(b.title) !== i.title) {
      i.title = String(b.title);
      acts.push('edited');
    }
    if ('body' in b && b.body !== i.body) {
      i.body = b.body;
      if (!acts.includes('edited')) acts.push('edited');
    }
    if (O.push && Array.isArray(b.labels)) i.labels = useLabels(r, b.labels);
    if (O.push && Array.isArray(b.assignees))
      i.assignees = [...new Set(b.assignees.map((a) => (typeof a === 'string' ? a : a.login)))];
    if (b.state === 'closed' && i.state === 'open') {
      i.state = 'closed';
      i.state_reason = b.state_reason ?? 'completed';
      i.closed_at = isoNow();
      i.closed_by = actor;
      acts.push('closed');
    } else if (b.state === 'open' && i.state === 'closed') {
      i.state = 'open';
      i.state_reason = 'reopened';
      i.closed_at = null;
      i.closed_by = null;
      acts.push('reopened');
    }
    i.updated_at = isoNow();
    i.indexedAt = Math.max(i.indexedAt, Date.now() + O.searchLagMs);
    const o = outIssue(r, i);
    for (const a of acts) emit(r, 'issues', { action: a, issue: o }, actor);
    return o;
  }
  function addComment(r, i, text, who) {
    const now = isoNow(),
      c = { id: S.nextId++, issue: i.number, user: who, body: text, created_at: now, updated_at: now };
    r.comments.set(c.id, c);
    i.comments++;
    i.updated_at = now;
    emit(r, 'issue_comment', { action: 'created', issue: outIssue(r, i), comment: outComment(r, c) }, who);
    return c;
  }
  function labels(ctx, r, name) {
    const { method: m } = ctx,
      doc = D('labels');
    if (name === undefined && m === 'GET')
      return paginate(
        ctx,
        r,
        '/labels',
        [...r.labels.values()].sort((a, b) => (lc(a.name) < lc(b.name) ? -1 : 1)).map((l) => outLabel(r, l)),
      );
    const bad = (b) => {
      const e = [];
      if (b.color != null && !/^[0-9a-f]{6}$/i.test(b.color))
        e.push({ resource: 'Label', code: 'invalid', field: 'color' });
      const n = b.new_name ?? b.name;
      if (n != null && n.length > 50) e.push({ resource: 'Label', code: 'invalid', field: 'name' });
      if (b.description != null && b.description.length > 100)
        e.push({
          resource: 'Label',
          code: 'custom',
          field: 'description',
          message: 'description is too long (maximum is 100 characters)',
        });
      return e;
    };
    if (name === undefined && m === 'POST') {
      const b = body(ctx);
      if (b.name == null) throw fail(422, 'Invalid request.\n\n"name" wasn\'t supplied.', doc);
      const e = bad(b);
      if (r.labels.has(lc(b.name))) e.push({ resource: 'Label', code: 'already_exists', field: 'name' });
      if (e.length) throw invalid(e, `${doc}#create-a-label`);
      const l = mkLabel(r, b.name, lc(b.color ?? 'ededed'), b.description ?? null);
      emit(r, 'label', { action: 'created', label: outLabel(r, l) });
      return { status: 201, body: outLabel(r, l), headers: { location: outLabel(r, l).url } };
    }
    const l = r.labels.get(lc(name ?? ''));
    if (!l) throw fail(404, 'Not Found', doc);
    if (m === 'GET') return { status: 200, body: outLabel(r, l) };
    if (m === 'PATCH') {
      const b = body(ctx),
        e = bad(b);
      if (e.length) throw invalid(e, doc);
      if (b.new_name && lc(b.new_name) !== lc(l.name)) {
        r.labels.delete(lc(l.name));
        for (const i of r.issues.values()) i.labels = i.labels.map((x) => (x === lc(l.name) ? lc(b.new_name) : x));
        l.name = b.new_name;
        r.labels.set(lc(l.name), l);
      }
      if (b.color) l.color = lc(b.color);
      if ('description' in b) l.description = b.description;
      return { status: 200, body: outLabel(r, l) };
    }
    if (m === 'DELETE') {
      r.labels.delete(lc(l.name));
      for (const i of r.issues.values()) i.labels = i.labels.filter((x) => x !== lc(l.name));
      emit(r, 'label', { action: 'deleted', label: outLabel(r, l) });
      return { status: 204 };
    }
    throw fail(404, 'Not Found');
  }
  function searchIssues(ctx) {
    // lags behind by searchLagMs, like the real index does at times
    const qs = ctx.q.get('q');
    if (!qs)
      throw invalid(
        [{ resource: 'Search', field: 'q', code: 'missing' }],
        `${DOC}/search/search#search-issues-and-pull-requests`,
      );
    const terms = [...qs.matchAll(/(-?)(?:(\w+):)?("[^"]*"|\S+)/g)].map((t) => ({
      neg: !!t[1],
      k: t[2],
      v: lc(t[3].replace(/^"|"$/g, '')),
    }));
    const hits = [];
    for (const r of S.repos.values())
      for (const i of r.issues.values()) {
        if (i.deleted || i.indexedAt > Date.now()) continue;
        const okAll = terms.every((t) => {
          let x;
          switch (t.k) {
            case 'repo':
              x = lc(`${r.owner}/${r.name}`) === t.v;
              break;
            case 'org':
            case 'user':
              x = lc(r.owner) === t.v;
              break;
            case 'label':
              x = i.labels.includes(t.v);
              break;
            case 'state':
              x = i.state === t.v;
              break;
            case 'is':
              x = t.v === 'issue' ? !i.pull : t.v === 'pr' ? i.pull : t.v === i.state;
              break;
            case 'type':
              x = t.v === 'issue' ? !i.pull : i.pull;
              break;
            case 'author':
              x = lc(i.user) === t.v;
              break;
            case 'assignee':
              x = i.assignees.map(lc).includes(t.v);
              break;
            case 'in':
              x = true;
              break;
            default:
              x = lc(i.title).includes(t.v) || lc(i.body ?? '').includes(t.v);
          }
          return t.neg ? !x : x;
        });
        if (okAll) {
          const o = outIssue(r, i);
          delete o.closed_by;
          if (o.body === null) delete o.body;
          hits.push({ ...o, score: 1 });
        }
      }
    const pg = paginate(ctx, null, '/search/issues', hits);
    return {
      ...pg,
      body: { total_count: hits.length, incomplete_results: false, items: pg.body, search_type: 'lexical' },
    };
  }

  /* ---------------------------------------------------------------- webhooks */
  function emit(r, event, payload, actor = O.user) {
    for (const h of r.hooks)
      if (h.events.includes('*') || h.events.includes(event)) {
        const d = deliver({
          url: h.url,
          secret: h.secret,
          contentType: h.contentType,
          hookId: h.id,
          event,
          payload: { ...payload, repository: outRepo(r, false), sender: user(actor) },
        }).catch(() => {});
        inflight.add(d);
        void d.finally(() => inflight.delete(d));
      }
  }
  // deliver({url, secret, event, payload, deliveryId?, contentType?, tamper?, signature?: 'none'|'wrong'|'sha1-only'|'bad-format'|'short', timeoutMs?})
  async function deliver(d) {
    const { event, payload } = d;
    const text = d.rawBody ?? JSON.stringify(payload);
    const form = d.contentType === 'form';
    const bodyText = form ? `payload=${encodeURIComponent(text).replace(/%20/g, '+')}` : text;
    const id = d.deliveryId ?? crypto.randomUUID();
    const headers = {
      accept: '*/*',
      'content-type': form ? 'application/x-www-form-urlencoded' : 'application/json',
      'user-agent': 'GitHub-Hookshot/a1b2c3d',
      'x-github-delivery': id,
      'x-github-event': event,
      'x-github-hook-id': String(d.hookId ?? 5000),
      'x-github-hook-installation-target-id': '100001',
      'x-github-hook-installation-target-type': 'repository',
    };
    const secret = d.secret ?? O.hookSecret;
    if (secret && d.signature !== 'none') {
      // GitHub signs the bytes of the body it sends, form-encoded ones too
      const key = d.signature === 'wrong' ? `${secret}x` : secret;
      const s256 = `sha256=${crypto.createHmac('sha256', key).update(bodyText).digest('hex')}`;
      headers['x-hub-signature'] = `sha1=${crypto.createHmac('sha1', key).update(bodyText).digest('hex')}`;
      if (d.signature !== 'sha1-only')
        headers['x-hub-signature-256'] =
          d.signature === 'bad-format' ? s256.slice(7) : d.signature === 'short' ? s256.slice(0, 20) : s256;
    }
    const sent = d.tamper ? bodyText.replace(/"action":"\w+"/, '"action":"tampered"') : bodyText;
    const rec = {
      id: S.deliveries.length + 1,
      guid: id,
      event,
      action: payload?.action ?? null,
      delivered_at: new Date().toISOString(),
      url: d.url ?? O.hookUrl,
      redelivery: !!d.redelivery,
      status: null,
      status_code: 0,
      duration: 0,
      hookId: d.hookId ?? 5000,
      request: { ...d, payload, event, deliveryId: id },
    };
    S.deliveries.push(rec);
    const t0 = Date.now();
    const u = new URL(rec.url);
    const r = await new Promise((resolve) => {
      const req = (u.protocol === 'https:' ? https : http).request(
        u,
        {
          method: 'POST',
          headers: { ...headers, 'content-length': Buffer.byteLength(sent) },
          rejectUnauthorized: false,
        },
        (res) => {
          let b = '';
          res.on('data', (c) => (b += c));
          res.on('end', () => resolve({ status: res.statusCode, body: b.slice(0, 4000), headers: res.headers }));
          res.on('error', () => resolve({ status: 0, error: 'aborted' }));
        },
      );
      req.setTimeout(0);
      const tm = setTimeout(() => {
        req.destroy();
        resolve({ status: 0, error: 'timed out' });
      }, d.timeoutMs ?? O.hookTimeoutMs);
      req.on('error', (e) => {
        clearTimeout(tm);
        resolve({ status: 0, error: e.code ?? e.message });
      });
      req.on('close', () => clearTimeout(tm));
      req.end(sent);
    });
    rec.duration = (Date.now() - t0) / 1000;
    rec.status_code = r.status;
    rec.status =
      r.status >= 200 && r.status < 300
        ? 'OK'
        : r.error === 'timed out'
          ? 'timed out'
          : r.status
            ? `Invalid HTTP Response: ${r.status}`
            : 'failed to connect to host';
    rec.response = r;
    return { deliveryId: id, event, ...r, ms: Date.now() - t0 };
  }
  async function hooks(ctx, r, rest) {
    const h = r.hooks.find((x) => String(x.id) === rest[0]);
    const outHook = (x) => ({
      type: 'Repository',
      id: x.id,
      name: 'web',
      active: true,
      events: x.events,
      config: { url: x.url, content_type: x.contentType, insecure_ssl: '0', secret: '********' },
      updated_at: r.created,
      created_at: r.created,
      url: `${rurl(r)}/hooks/${x.id}`,
      test_url: `${rurl(r)}/hooks/${x.id}/test`,
      ping_url: `${rurl(r)}/hooks/${x.id}/pings`,
      deliveries_url: `${rurl(r)}/hooks/${x.id}/deliveries`,
      last_response: { code: null, status: 'unused', message: null },
    });
    if (!rest.length && ctx.method === 'GET') return paginate(ctx, r, '/hooks', r.hooks.map(outHook));
    if (!rest.length && ctx.method === 'POST') {
      const b = body(ctx),
        x = {
          id: 5000 + r.hooks.length + 1,
          url: b.config?.url,
          secret: b.config?.secret,
          events: b.events ?? ['push'],
          contentType: b.config?.content_type ?? 'form',
        };
      r.hooks.push(x);
      deliver({
        url: x.url,
        secret: x.secret,
        contentType: x.contentType,
        hookId: x.id,
        event: 'ping',
        payload: {
          zen: 'Design for failure.',
          hook_id: x.id,
          hook: outHook(x),
          repository: outRepo(r, false),
          sender: user(O.user),
        },
      }).catch(() => {});
      return { status: 201, body: outHook(x) };
    }
    if (!h) throw fail(404, 'Not Found', `${DOC}/repos/webhooks`);
    const mine = S.deliveries
      .filter((d) => d.hookId === h.id)
      .slice()
      .reverse();
    const outD = (d) => ({
      id: d.id,
      guid: d.guid,
      delivered_at: d.delivered_at,
      redelivery: d.redelivery,
      duration: d.duration,
      status: d.status ?? 'pending',
      status_code: d.status_code,
      event: d.event,
      action: d.action,
      installation_id: null,
      repository_id: r.id,
      throttled_at: null,
    });
    if (rest[1] === 'deliveries' && rest.length === 2 && ctx.method === 'GET')
      return { status: 200, body: mine.slice(0, Number(ctx.q.get('per_page') ?? 30)).map(outD) };
    const d = mine.find((x) => String(x.id) === rest[2]);
    if (!d) throw fail(404, 'Not Found', `${DOC}/repos/webhooks`);
    if (rest[3] === 'attempts' && ctx.method === 'POST') {
      deliver({ ...d.request, url: d.url, secret: h.secret, redelivery: true }).catch(() => {});
      return { status: 202, body: {} };
    } // same GUID again
    return {
      status: 200,
      body: {
        ...outD(d),
        url: d.url,
        request: { headers: null, payload: d.request.payload },
        response: { headers: d.response?.headers ?? null, payload: d.response?.body ?? null },
      },
    };
  }

  /* ---------------------------------------------------------------- admin: /__sim/… */
  async function admin(req, res, url, raw) {
    const J = (o, s = 200) => {
      res.writeHead(s, { 'content-type': 'application/json' });
      res.end(JSON.stringify(o, null, 1));
    };
    const b = raw ? safeJson(raw) : {},
      k = `${req.method} ${url.pathname.slice(6)}`,
      r = S.repos.get(lc(url.searchParams.get('repo') ?? b?.repo ?? '')) ?? [...S.repos.values()][0];
    try {
      if (k === 'GET /log') {
        const m = url.searchParams.get('method'),
          pr = url.searchParams.get('path');
        return J(S.log.filter((e) => (!m || e.method === m) && (!pr || new RegExp(pr).test(e.path))));
      }
      if (k === 'DELETE /log') {
        S.log.length = 0;
        return J({ ok: true });
      }
      if (k === 'GET /state')
        return J({
          options: { ...O, hookSecret: O.hookSecret ? '***' : null },
          rate: S.rate,
          repos: [...S.repos.values()].map((x) => ({
            id: x.id,
            full_name: `${x.owner}/${x.name}`,
            issues: [...x.issues.values()].map((i) => outIssue(x, i)),
            comments: [...x.comments.values()],
            labels: [...x.labels.values()],
          })),
        });
      if (k === 'GET /faults') return J(S.faults);
      if (k === 'POST /faults') return J([].concat(b).map(addFault), 201);
      if (k === 'DELETE /faults') {
        S.faults.length = 0;
        return J({ ok: true });
      }
      if (k === 'POST /config') {
        Object.assign(O, b);
        if ('rateLimit' in b) S.rate.core.limit = b.rateLimit;
        return J({ ok: true });
      }
      if (k === 'POST /reset') {
        reset();
        return J({ ok: true });
      }
      if (k === 'POST /issues')
        return J(
          [].concat(b).map((x) => {
            const f = { ...x };
            delete f.repo;
            f.labels = useLabels(r, f.labels ?? []);
            return outIssue(r, newIssue(r, { indexedAt: 0, visibleAt: 0, ...f }));
          }),
          201,
        );
      const mi = url.pathname.match(/^\/__sim\/issues\/(\d+)(\/\w+)?$/);
      if (mi) {
        // acts of other people: PATCH = edit/close/reopen as b.actor, POST …/comments, DELETE, POST …/transfer
        const i = r.issues.get(Number(mi[1]));
        if (!i) return J({ error: 'no such issue' }, 404);
        if (req.method === 'PATCH') return J(patchIssue(r, i, b, b.actor ?? O.collaborators[0] ?? 'alice'));
        if (req.method === 'POST' && mi[2] === '/comments')
          return J(addComment(r, i, b.body ?? '', b.actor ?? O.collaborators[0] ?? 'alice'), 201);
        if (req.method === 'POST' && mi[2] === '/transfer') {
          i.transferredTo = b.to ?? `${S.base}/repositories/999999/issues/1`;
          return J({ ok: true });
        }
        if (req.method === 'DELETE') {
          i.deleted = true;
          emit(r, 'issues', { action: 'deleted', issue: outIssue(r, i) }, b?.actor ?? 'alice');
          return J({ ok: true });
        }
      }
      if (k === 'POST /rename') {
        const old = { ...r, movedTo: true, issues: r.issues };
        S.repos.set(lc(`${r.owner}/${r.name}`), old);
        r.name = b.name;
        S.repos.set(lc(`${r.owner}/${b.name}`), r);
        return J({ ok: true, full_name: `${r.owner}/${b.name}` });
      }
      if (k === 'GET /deliveries')
        return J(S.deliveries.map(({ request, ...d }) => ({ ...d, payloadAction: request.payload?.action })));
      if (k === 'POST /deliver') {
        const n = b.times ?? 1,
          runs = [],
          sameId = crypto.randomUUID();
        for (let j = 0; j < n; j++) {
          const p = deliver({
            ...b,
            deliveryId: b.deliveryId ?? (b.sameId ? sameId : undefined),
          });
          runs.push(b.concurrent ? p : await p);
        }
        return J(await Promise.all(runs));
      }
      return J(
        {
          error: 'unknown admin call',
          calls: [
            'GET|DELETE /__sim/log',
            'GET /__sim/state',
            'GET|POST|DELETE /__sim/faults',
            'POST /__sim/config',
            'POST /__sim/reset',
            'POST /__sim/issues',
            'PATCH|DELETE /__sim/issues/N',
            'POST /__sim/issues/N/comments',
            'POST /__sim/issues/N/transfer',
            'POST /__sim/rename',
            'GET /__sim/deliveries',
            'POST /__sim/deliver',
          ],
        },
        404,
      );
    } catch (e) {
      return J({ error: String(e.body ? JSON.stringify(e.body) : e.stack) }, 500);
    }
  }
  function reset() {
    S.repos.clear();
    S.users.clear();
    S.log.length = 0;
    S.faults.length = 0;
    S.deliveries.length = 0;
    S.content.length = 0;
    S.nextId = 1000;
    freshRate();
    init();
  }
  function init() {
    user(O.user, O.userType);
    for (const c of O.collaborators) user(c);
    for (const full of O.repos) addRepo(full);
    const seed = typeof O.seed === 'string' ? JSON.parse(fs.readFileSync(O.seed, 'utf8')) : O.seed;
    for (const x of seed?.issues ?? []) {
      const r = S.repos.get(lc(x.repo ?? O.repos[0]));
      newIssue(r, { indexedAt: 0, visibleAt: 0, ...x, labels: useLabels(r, x.labels ?? []) });
    }
    for (const x of seed?.labels ?? [])
      mkLabel(S.repos.get(lc(x.repo ?? O.repos[0])), x.name, x.color, x.description ?? null);
  }
  init();
  await new Promise((ok, no) => {
    server.once('error', no);
    server.listen(O.port, O.host, ok);
  });
  const port = server.address().port,
    origin = `http://${O.host.includes(':') ? `[${O.host}]` : O.host}:${port}`;
  S.base = origin;
  return {
    url: origin,
    port,
    options: O,
    log: S.log,
    deliveries: S.deliveries,
    state: S,
    addFault,
    clearFaults: () => {
      S.faults.length = 0;
    },
    reset,
    deliver,
    issues: (full = O.repos[0]) => {
      const r = S.repos.get(lc(full));
      return [...r.issues.values()].map((i) => outIssue(r, i));
    },
    settle: async () => {
      while (inflight.size) await Promise.allSettled(inflight);
    },
    close: () =>
      new Promise((ok) => {
        server.close(() => ok());
        server.closeAllConnections();
      }),
  };
}

/* ------------------------------------------------------------------ command line */
if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const o = { port: 18090, quiet: false },
    a = process.argv.slice(2);
  const camel = (s) => s.replace(/-(\w)/g, (_, c) => c.toUpperCase());
  for (let i = 0; i < a.length; i++) {
    if (a[i] === '--help' || a[i] === '-h') {
      console.log(
        'node github-sim.mjs [--port N] [--host H] [--repo o/r]… [--user L] [--token T] [--collaborators a,b] [--push false] [--issues-permission write|read|none] [--has-issues false] [--archived true] [--private true] [--rate-limit N] [--content-per-minute N] [--search-lag-ms N] [--list-lag-ms N] [--latency-ms N] [--hook-url U --hook-secret S --hook-events a,b] [--fault JSON]… [--seed FILE] [--quiet]',
      );
      process.exit(0);
    }
    const k = camel(a[i].replace(/^--/, ''));
    if (k === 'quiet') {
      o.quiet = true;
      continue;
    }
    const v = a[++i];
    if (k === 'repo') o.repos = [...(o.repos ?? []), v];
    else if (k === 'fault') o.faults = [...(o.faults ?? []), JSON.parse(v)];
    else if (['collaborators', 'hookEvents'].includes(k)) o[k] = v.split(',');
    else
      o[k] =
        v === 'true'
          ? true
          : v === 'false'
            ? false
            : v !== '' && !Number.isNaN(Number(v)) && !['token', 'hookSecret', 'user'].includes(k)
              ? Number(v)
              : v;
  }
  const gh = await startGithubSim(o);
  console.log(JSON.stringify({ listening: gh.url, repos: gh.options.repos, pid: process.pid }));
  for (const s of ['SIGINT', 'SIGTERM']) process.on(s, () => void gh.close().then(() => process.exit(0)));
}
