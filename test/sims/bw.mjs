#!/usr/bin/env node
// A stand-in for Bitwarden's CLI, for tests: words, exit codes, streams and JSON as bw 2026.6.0 has them, over a vault in
// plain JSON, whose file BW_SIM_VAULT names. What login, unlock and lock change is kept in BW_SIM_STATE (the vault's name
// and .state.json unless given); BW_SIM_LOG names a file that gets a line of JSON for each run: its words, how the key came,
// and its environment's names.
//
// The vault: { status: unauthenticated | locked | unlocked, session, masterPassword, serverUrl, userEmail, apiKey, folders,
// items, faults }. With `session` it is open for those alone whose BW_SESSION is that key. Of an item only the name is needed.
// Faults, in the vault or as BW_SIM_NAME: delay_ms, linger_ms, hang (before or after it printed), sync (500, 401, 429, hang,
// offline), stderr_noise, crash, garbage (printed in place of an answer),
// unknown_option (one that this release does not know).
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';

const VERSION = '2026.6.0';
const env = process.env;
const VAULT = env.BW_SIM_VAULT;
const STATE = env.BW_SIM_STATE || (VAULT ? `${VAULT}.state.json` : null);
const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const forever = () => new Promise(() => setInterval(() => {}, 1 << 30));

/* ------------------------------------------------------------------ output, as the real CLI does it */
const flag = (n) => env[`BW_${n}`] === 'true';
function writeLn(s, finalLine = false, error = false) {
  const st = error ? process.stderr : process.stdout;
  fs.writeSync(error ? 2 : 1, finalLine && !st.isTTY ? s : `${s}\n`); // no trailing newline on the last line unless a TTY
}
const color = (c, s) => (process.stdout.isTTY && !env.NO_COLOR ? `\x1b[${c}m${s}\x1b[39m` : s);
const ok = (data) => ({ success: true, data });
const err = (message, data) => (data === undefined ? { success: false, message } : { success: false, message, data });
const msg = (title, message = null, raw) =>
  ok(
    raw === undefined
      ? { noColor: false, object: 'message', title, message }
      : { noColor: false, object: 'message', title, message, raw },
  );
const str = (data) => ok({ object: 'string', data });
const list = (data) => ok({ object: 'list', data });
const tmpl = (template) => ok({ object: 'template', template });
const json = (o) => (flag('PRETTY') ? JSON.stringify(o, null, '  ') : JSON.stringify(o));
function finish(res) {
  if (!res.success) {
    if (!flag('QUIET')) {
      if (flag('RESPONSE')) writeLn(json(res), true);
      else writeLn(color('91', res.message), true, true);
    }
    process.exitCode = env.BW_CLEANEXIT ? 0 : 1;
    return;
  }
  if (flag('RESPONSE')) writeLn(json(res), true);
  else if (res.data != null) {
    const d = res.data;
    let out = null;
    if (d.object === 'template') out = json(d.template);
    else if (d.object === 'string') out = d.data;
    else if (d.object === 'list') out = json(d.data);
    else if (d.object === 'message') {
      if (flag('RAW')) out = d.raw ?? null;
      else {
        out = d.title != null ? color('92', d.title) : '';
        if (d.message != null) out += (d.title != null ? '\n' : '') + d.message;
        if (out.trim() === '') out = null;
      }
    } else out = json(d);
    if (out != null && !flag('QUIET')) writeLn(out, true);
  }
  process.exitCode = 0;
}

/* ------------------------------------------------------------------ vault and state */
let V = {},
  S = {};
function load() {
  if (!VAULT) {
    fs.writeSync(2, 'bw (stand-in): set BW_SIM_VAULT to a vault file\n');
    process.exit(70);
  }
  V = JSON.parse(fs.readFileSync(VAULT, 'utf8'));
  try {
    S = JSON.parse(fs.readFileSync(STATE, 'utf8'));
  } catch {
    S = {};
  }
}
const saveState = () => fs.writeFileSync(STATE, JSON.stringify(S, null, 1), { mode: 0o600 });
const get = (k, d) => (k in S ? S[k] : k in V ? V[k] : d);
const fault = (k) => {
  const e = env[`BW_SIM_${k.toUpperCase()}`];
  return e !== undefined && e !== '' ? e : V.faults?.[k];
};
const authed = () => get('status', 'locked') !== 'unauthenticated';
// The real CLI is unlocked only while BW_SESSION holds the key made by the latest unlock.
// A vault with "status":"unlocked" and no "session" is unlocked for everyone (handy in tests).
function unlocked() {
  if (!authed()) return false;
  if (serveUnlocked !== null) return serveUnlocked;
  const key = get('session', null);
  if (key) return env.BW_SESSION === key;
  return get('status', 'locked') === 'unlocked';
}
let serveUnlocked = null;
const iso = (d) => (d == null ? undefined : new Date(d).toISOString());
function item(i) {
  // same key order and same absent keys as the real output
  const type = i.type ?? 1,
    o = {
      type,
      name: i.name ?? '',
      favorite: i.favorite ?? false,
      reprompt: i.reprompt ?? 0,
      id: i.id ?? guidFor(i.name ?? ''),
      collectionIds: i.collectionIds ?? [],
      object: 'item',
    };
  if (i.organizationId) o.organizationId = i.organizationId;
  if (i.folderId) o.folderId = i.folderId;
  if (i.notes) o.notes = i.notes;
  o.fields = (i.fields ?? []).map((f) => ({ type: f.type ?? 0, name: f.name, value: f.value }));
  if (type === 1) {
    const l = i.login ?? {};
    o.login = {
      uris: (l.uris ?? []).map((u) =>
        typeof u === 'string' ? { uri: u } : u.match == null ? { uri: u.uri } : { match: u.match, uri: u.uri },
      ),
      fido2Credentials: [],
    };
    if (l.username != null) o.login.username = l.username;
    if (l.password != null) o.login.password = l.password;
    if (l.totp) o.login.totp = l.totp;
    o.login.passwordRevisionDate = iso(l.passwordRevisionDate) ?? null;
    if (i.viewPassword === false) {
      o.login.password = null;
      o.login.totp = null;
    }
  } else if (type === 2) o.secureNote = i.secureNote ?? { type: 0 };
  else if (type === 3) o.card = i.card ?? {};
  else if (type === 4) o.identity = i.identity ?? {};
  else if (type === 5) o.sshKey = i.sshKey ?? {};
  if (i.viewPassword !== false)
    o.passwordHistory = (i.passwordHistory ?? []).map((h) => ({
      lastUsedDate: iso(h.lastUsedDate),
      password: h.password,
    }));
  o.creationDate = iso(i.creationDate ?? '2024-01-01T00:00:00.000Z');
  o.revisionDate = iso(i.revisionDate ?? i.creationDate ?? '2024-01-01T00:00:00.000Z');
  if (i.deletedDate) o.deletedDate = iso(i.deletedDate);
  if (i.archivedDate) o.archivedDate = iso(i.archivedDate);
  o.attachments = i.attachments ?? [];
  return o;
}
function guidFor(name) {
  const h = crypto.createHash('sha256').update(name).digest('hex');
  return `${h.slice(0, 8)}-${h.slice(8, 12)}-4${h.slice(13, 16)}-8${h.slice(17, 20)}-${h.slice(20, 32)}`;
}
const coll = new Intl.Collator('en');
const items = () =>
  (V.items ?? [])
    .map(item)
    .sort((a, b) => coll.compare(a.name, b.name) || coll.compare(a.login?.username ?? '', b.login?.username ?? ''));
const subtitle = (c) =>
  c.type === 1
    ? c.login.username
    : c.type === 5
      ? c.sshKey.keyFingerprint
      : c.type === 3
        ? [c.card.brand, c.card.number && `*${String(c.card.number).slice(-4)}`].filter(Boolean).join(', ')
        : c.type === 4
          ? [c.identity.firstName, c.identity.lastName].filter(Boolean).join(' ')
          : undefined;
// Substring search over name, id prefix (8+ chars), subtitle (user name) and URIs. The query loses its accents, the
// stored names do not: an accented name can never be found by name. Same as the real CLI.
function search(cs, q) {
  q = q
    .trim()
    .toLowerCase()
    .normalize('NFD')
    .replace(/[\u0300-\u036f]/g, '');
  return cs.filter(
    (c) =>
      c.name.toLowerCase().includes(q) ||
      (q.length >= 8 && c.id.startsWith(q)) ||
      (subtitle(c) ?? '').toLowerCase().includes(q) ||
      (c.login?.uris ?? []).some((u) => u.uri?.toLowerCase().includes(q)),
  );
}

/* ------------------------------------------------------------------ commands */
const blank = (s) => s == null || String(s).trim() === '';
function findOne(id, filter) {
  id = id.toLowerCase();
  let found;
  if (GUID.test(id)) {
    // by id the trash and the archive are visible, too
    const c = items().find((x) => x.id.toLowerCase() === id);
    if (!c || (filter && !filter(c))) return err('Not found.');
    return ok(c);
  }
  if (blank(id)) return err('Not found.');
  found = search(
    items().filter((c) => !c.deletedDate && !c.archivedDate),
    id,
  );
  if (filter && found.length) found = found.filter(filter);
  if (!found.length) return err('Not found.');
  if (found.length > 1) {
    // even when one name matches exactly
    const ids = found.map((c) => c.id);
    return err(
      `More than one result was found. Try getting a specific object by \`id\` instead. The following objects were found:${ids.map((i) => `\n${i}`).join('')}`,
      ids,
    );
  }
  return ok(found[0]);
}
const pick = (id, filter, f) => {
  const r = findOne(id, filter);
  return r.success ? str(f(r.data)) : r;
};
const folders = () => [
  ...(V.folders ?? []).map((f) => ({ name: f.name, object: 'folder', id: f.id })),
  { name: 'No Folder', object: 'folder', id: '' },
];
function cmdGet(object, id) {
  switch (object) {
    case 'item':
      return findOne(id);
    case 'password':
      return pick(
        id,
        (c) => c.type === 1 && !blank(c.login.password),
        (c) => c.login.password,
      );
    case 'username':
      return pick(
        id,
        (c) => c.type === 1 && !blank(c.login.username),
        (c) => c.login.username,
      );
    case 'totp':
      return pick(
        id,
        (c) => c.type === 1 && !blank(c.login.totp),
        (c) => c.login.totpCode ?? '000000',
      );
    case 'uri':
      return pick(
        id,
        (c) => c.type === 1 && c.login.uris.length > 0 && c.login.uris[0].uri !== '',
        (c) => c.login.uris[0].uri,
      );
    case 'notes':
      return pick(
        id,
        (c) => !blank(c.notes),
        (c) => c.notes,
      );
    case 'folder': {
      const fs_ = folders().filter((f) =>
        GUID.test(id) ? f.id === id.toLowerCase() : f.name.toLowerCase().includes(id.toLowerCase()),
      );
      return fs_.length === 0
        ? err('Not found.')
        : fs_.length > 1
          ? err(
              `More than one result was found. Try getting a specific object by \`id\` instead. The following objects were found:${fs_.map((f) => `\n${f.id}`).join('')}`,
              fs_.map((f) => f.id),
            )
          : ok(fs_[0]);
    }
    case 'template':
      return id === 'item'
        ? tmpl({
            type: 1,
            name: 'Item name',
            favorite: false,
            reprompt: 0,
            notes: 'Some notes about this item.',
            fields: [],
            passwordHistory: [],
          })
        : err('Unknown template object.');
    default:
      return err('Unknown object.');
  }
}
function cmdList(object, o) {
  if (object === 'folders')
    return list(folders().filter((f) => blank(o.search) || f.name.toLowerCase().includes(o.search.toLowerCase())));
  if (object === 'collections' || object === 'organizations') return list(V[object] ?? []);
  if (object !== 'items') return err('Unknown object.');
  let cs = items().filter((c) => !!o.trash === !!c.deletedDate && !!o.archived === !!c.archivedDate);
  if (!blank(o.url)) {
    const h = (u) => {
      try {
        return new URL(u).hostname;
      } catch {
        return u;
      }
    };
    cs = cs.filter((c) => (c.login?.uris ?? []).some((u) => h(u.uri) === h(o.url)));
  }
  if (o.folderid != null || o.organizationid != null || o.collectionid != null)
    cs = cs.filter((c) => {
      // filters are OR-ed
      const m = (want, has) =>
        want != null && ((want === 'notnull' && has != null) || (want === 'null' ? has == null : want === has));
      const col =
        o.collectionid != null &&
        ((o.collectionid === 'notnull' && c.collectionIds.length > 0) ||
          (o.collectionid === 'null' ? c.collectionIds.length === 0 : c.collectionIds.includes(o.collectionid)));
      return m(o.folderid, c.folderId) || m(o.organizationid, c.organizationId) || col;
    });
  if (!blank(o.search)) cs = search(cs, o.search); // search is AND-ed
  return list(cs);
}
const cmdStatus = () => {
  if (!authed()) return tmpl({ serverUrl: get('serverUrl', null), lastSync: null, status: 'unauthenticated' });
  return tmpl({
    serverUrl: get('serverUrl', null),
    lastSync: get('lastSync', null),
    userEmail: get('userEmail', 'user@example.test'),
    userId: get('userId', '00000000-0000-4000-8000-000000000000'),
    status: unlocked() ? 'unlocked' : 'locked',
  });
};
async function cmdSync(o) {
  if (o.last) return str(get('lastSync', null));
  const f = fault('sync');
  if (f === 'hang') await forever(); // the real client sets no request timeout
  if (f === '401') {
    S.status = 'unauthenticated';
    saveState();
    fs.writeSync(
      2,
      'Unauthorized response received for request to /sync?excludeDomains=true. Attempting request again.\n',
    );
    return err('Syncing failed: {"response":{"error":{"code":401}},"statusCode":401}');
  }
  if (f === '429') return err('Syncing failed: Rate limit exceeded. Try again later.');
  if (f === 'offline')
    return err(
      `Syncing failed: FetchError: request to ${get('serverUrl', 'https://vault.example')}/identity/connect/token failed, reason: connect ECONNREFUSED 127.0.0.1:443`,
    );
  if (f) return err(`Syncing failed: ${f === '500' ? 'Internal server error' : f}`);
  S.lastSync = new Date().toISOString();
  saveState();
  return msg('Syncing complete.');
}
const BAD_PW =
  'ERROR bitwarden_crypto::keys::master_key: error=The decryption operation failed\n\nERROR bitwarden_core::client::internal: error=Cryptography error, The decryption operation failed\n\nERROR bitwarden_core::key_management::crypto: error=Cryptography error, The decryption operation failed\n\n';
function doUnlock(pw) {
  if (pw !== get('masterPassword', 'master')) {
    fs.writeSync(2, BAD_PW);
    return err('Cryptography error, The decryption operation failed');
  }
  const k = crypto.randomBytes(64).toString('base64'); // every unlock invalidates the earlier session key
  S.session = k;
  S.status = 'unlocked';
  saveState();
  env.BW_SESSION = k;
  return sessionMsg('Your vault is now unlocked!', k);
}
const sessionMsg = (title, k) =>
  msg(
    title,
    `\nTo unlock your vault, set your session key to the \`BW_SESSION\` environment variable. ex:\n$ export BW_SESSION="${k}"\n> $env:BW_SESSION="${k}"\n\nYou can also pass the session key to any command with the \`--session\` option. ex:\n$ bw list items --session ${k}`,
    k,
  );
const PROMPT = '? Master password: [input is hidden] \x1b[37D\x1b[37C';
function prompt() {
  // stdin closed -> the real process ends at once with exit code 0 and a lone newline on stdout
  return new Promise((resolve) => {
    fs.writeSync(2, PROMPT);
    let b = '';
    process.stdin.setEncoding('utf8');
    process.stdin.on('data', (d) => {
      b += d;
      const n = b.indexOf('\n');
      if (n >= 0) {
        process.stdin.pause();
        resolve(b.slice(0, n).replace(/\r$/, ''));
      }
    });
    process.stdin.on('end', () => {
      if (!b.includes('\n')) {
        fs.writeSync(1, '\n');
        process.exit(0);
      }
    });
  });
}
async function cmdUnlock(args, o) {
  let pw = args[0];
  if (!pw && o.passwordfile) pw = fs.readFileSync(o.passwordfile, 'utf8').split(/\r?\n/)[0];
  else if (!pw && o.passwordenv) {
    if (env[o.passwordenv]) pw = env[o.passwordenv];
    else fs.writeSync(2, `Warning: Provided passwordenv ${o.passwordenv} is not set\n`);
  }
  if (!pw) {
    if (flag('NOINTERACTION'))
      return err(
        'Master password is required. Try again in interactive mode or provide a password file or environment variable.',
      );
    pw = await prompt();
  }
  return doUnlock(pw);
}
async function requireUnlocked() {
  if (!authed()) return err('You are not logged in.');
  if (unlocked()) return null;
  if (flag('NOINTERACTION')) return err('Vault is locked.');
  const r = doUnlock(await prompt());
  return r.success ? null : r;
}
function cmdLogin(args, o) {
  if (authed()) return err(`You are already logged in as ${get('userEmail', 'user@example.test')}.`);
  if (o.apikey) {
    if (blank(env.BW_CLIENTID)) return err('client_id is required.');
    if (blank(env.BW_CLIENTSECRET)) return err('client_secret is required.');
    if (!env.BW_CLIENTID.startsWith('user'))
      return err('Invalid API Key; Organization API Key currently not supported');
    const k = V.apiKey ?? {};
    if ((k.clientId && k.clientId !== env.BW_CLIENTID) || (k.clientSecret && k.clientSecret !== env.BW_CLIENTSECRET))
      return err('Incorrect client_secret');
    S.status = 'locked';
    delete S.session;
    S.session = crypto.randomBytes(64).toString('base64');
    S.lastSync = new Date().toISOString();
    saveState();
    if (!flag('NOINTERACTION'))
      return msg('You are logged in!', '\nTo unlock your vault, use the `unlock` command. ex:\n$ bw unlock');
    return sessionMsg('You are logged in!', crypto.randomBytes(64).toString('base64')); // real trap: this key unlocks nothing
  }
  if (blank(args[0])) return err('Email address is required.');
  const pw =
    args[1] ??
    (o.passwordfile
      ? fs.readFileSync(o.passwordfile, 'utf8').split(/\r?\n/)[0]
      : o.passwordenv
        ? env[o.passwordenv]
        : undefined);
  if (blank(pw)) return err('Master password is required.');
  if (pw !== get('masterPassword', 'master')) return err('Username or password is incorrect. Try again');
  S.lastSync = new Date().toISOString();
  const r = doUnlock(pw);
  r.data.title = 'You are logged in!';
  return r;
}

/* ------------------------------------------------------------------ bw serve */
async function serve(o) {
  const host = o.hostname ?? 'localhost',
    port = Number(o.port) || 8087;
  env.BW_NOINTERACTION = 'true';
  serveUnlocked = unlocked();
  const allowed = new Set(
    [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`, `${host}:${port}`].map((x) => x.toLowerCase()),
  );
  const srv = http.createServer((q, s) => {
    let b = '';
    q.on('data', (d) => (b += d));
    const answer = async () => {
      const send = (c, body, type = 'application/json; charset=utf-8') => {
        s.writeHead(c, { 'content-type': type });
        s.end(body);
      };
      const reply = (r) => send(r.success ? 200 : 400, JSON.stringify(r));
      if (!o['disable-origin-protection']) {
        if (host !== 'all' && !allowed.has((q.headers.host ?? '').toLowerCase())) {
          fs.writeSync(2, `Blocking request with disallowed Host "${q.headers.host ?? '(missing)'}"\n`);
          return send(403, 'Forbidden', 'text/plain; charset=utf-8');
        }
        if (q.headers.origin !== undefined) {
          fs.writeSync(2, `Blocking request from "${q.headers.origin || '(Origin header value missing)'}"\n`);
          return send(403, 'Forbidden', 'text/plain; charset=utf-8');
        }
      }
      if (fault('hang')) return;
      if (Number(fault('delay_ms'))) await sleep(Number(fault('delay_ms')));
      load();
      const u = new URL(q.url, 'http://x'),
        p = u.pathname.split('/').filter(Boolean).map(decodeURIComponent),
        opt = Object.fromEntries(u.searchParams);
      for (const k of ['folderId', 'collectionId', 'organizationId']) if (opt[k] != null) opt[k.toLowerCase()] = opt[k];
      for (const k of ['trash', 'archived', 'force', 'last'])
        if (k in opt) opt[k] = opt[k] === '' || opt[k].toLowerCase() === 'true';
      const lockedRes = () =>
        !authed() ? err('You are not logged in.') : serveUnlocked ? null : err('Vault is locked.');
      const r = `${q.method} /${p[0] ?? ''}`;
      if (r === 'GET /status') return reply(cmdStatus());
      if (r === 'POST /sync') return reply(await cmdSync(opt));
      if (r === 'POST /lock') {
        serveUnlocked = false;
        return reply(msg('Your vault is locked.'));
      }
      if (r === 'POST /unlock') {
        let pw;
        try {
          pw = JSON.parse(b).password;
        } catch {
          /* none */
        }
        if (!pw)
          return reply(
            err(
              'Master password is required. Try again in interactive mode or provide a password file or environment variable.',
            ),
          );
        const x = doUnlock(pw);
        if (x.success) serveUnlocked = true;
        return reply(x);
      }
      if (r === 'GET /list' && p[1] === 'object') return reply(lockedRes() ?? cmdList(p[2], opt));
      if (r === 'GET /object' && p.length === 3) return reply(lockedRes() ?? cmdGet(p[1], p[2]));
      send(404, 'Not Found', 'text/plain; charset=utf-8');
    };
    q.on('end', () => void answer());
  });
  if (host.startsWith('unix://')) srv.listen(host.slice(7));
  else srv.listen(port, host === 'all' ? undefined : host);
  await forever();
}

/* ------------------------------------------------------------------ argument parsing (commander-like) */
const GLOBAL = { pretty: 0, raw: 0, response: 0, cleanexit: 0, quiet: 0, nointeraction: 0, session: 1 };
const CMDS = {
  status: [[], {}],
  sync: [[], { force: 0, last: 0 }, { f: 'force' }],
  unlock: [['[password]'], { check: 0, passwordenv: 1, passwordfile: 1 }],
  lock: [[], {}],
  logout: [[], {}],
  login: [['[email]', '[password]'], { check: 0, apikey: 0, method: 1, code: 1, passwordenv: 1, passwordfile: 1 }],
  list: [['object'], { search: 1, url: 1, folderid: 1, collectionid: 1, organizationid: 1, trash: 0, archived: 0 }],
  get: [['object', 'id'], { itemid: 1, output: 1, organizationid: 1 }],
  config: [['setting', '[value]'], {}],
  serve: [[], { hostname: 1, port: 1, 'disable-origin-protection': 0 }],
};
const die = (s) => {
  fs.writeSync(2, s);
  process.exit(1);
};
function parse(argv) {
  const o = {},
    pos = [];
  let cmd = null,
    spec = null;
  for (let i = 0; i < argv.length; i++) {
    const a = argv[i];
    if (a === '--') {
      pos.push(...argv.slice(i + 1));
      break;
    }
    if (a.startsWith('-') && a.length > 1) {
      let [name, val] = a.startsWith('--') ? a.slice(2).split(/=(.*)/s) : [spec?.[2]?.[a.slice(1)] ?? a, undefined];
      if (a === '-v' || name === 'version') {
        writeLn(VERSION);
        process.exit(0);
      }
      const arity = name in GLOBAL ? GLOBAL[name] : spec?.[1]?.[name];
      if (arity === undefined) die(`error: unknown option '${a.split('=')[0]}'\n`);
      if (arity === 1 && val === undefined) {
        val = argv[++i];
        if (val === undefined) die(`error: option '--${name} <${name}>' argument missing\n`);
      }
      if (name === 'session') {
        env.BW_SESSION = val;
        sessionVia = 'argv';
      } else if (name in GLOBAL) env[`BW_${name.toUpperCase()}`] = 'true';
      else o[name] = arity ? val : true;
    } else if (!cmd) {
      cmd = a;
      spec = CMDS[a];
      if (!spec) {
        writeLn(
          `Invalid command: ${argv
            .slice(i)
            .filter((x) => !x.startsWith('-'))
            .join(' ')}`,
          false,
          true,
        );
        writeLn('See --help for a list of available commands.', true, true);
        process.exit(1);
      }
    } else pos.push(a);
  }
  if (cmd)
    spec[0].forEach((n, i) => {
      if (!n.startsWith('[') && pos[i] === undefined) die(`error: missing required argument '${n}'\n`);
    });
  return { cmd, pos, o };
}
const GETS = [
  'item',
  'username',
  'password',
  'uri',
  'totp',
  'notes',
  'exposed',
  'attachment',
  'folder',
  'collection',
  'org-collection',
  'organization',
  'template',
  'fingerprint',
  'send',
];
const LISTS = ['items', 'folders', 'collections', 'org-collections', 'org-members', 'organizations'];
let sessionVia = env.BW_SESSION ? 'env' : 'none';

async function main() {
  const argv = process.argv.slice(2);
  const { cmd, pos, o } = parse(argv);
  if (env.BW_SIM_LOG)
    fs.appendFileSync(
      env.BW_SIM_LOG,
      `${JSON.stringify({
        at: new Date().toISOString(),
        pid: process.pid,
        argv,
        sessionVia,
        noInteraction: flag('NOINTERACTION'),
        stdinTTY: !!process.stdin.isTTY,
        environment: Object.keys(env)
          .filter((k) => !/^(BW_SIM_|PWD$|SHLVL$|_$|OLDPWD$)/.test(k))
          .sort(),
      })}\n`,
    );
  if (!cmd) {
    fs.writeSync(2, 'Usage: bw [options] [command]\n');
    process.exit(1);
  }
  load();
  if (fault('crash')) {
    fs.writeSync(2, 'node:internal/process/promises:391\n    triggerUncaughtException(err, true /* fromPromise */);\n');
    process.exit(Number(fault('crash')) || 1);
  }
  const young = fault('unknown_option');
  if (young && young in o) die(`error: unknown option '--${young}'\n`);
  const garbage = fault('garbage');
  if (garbage) {
    fs.writeSync(1, garbage);
    process.exit(0);
  }
  const d = Number(fault('delay_ms') ?? 0);
  if (d) await sleep(d);
  const hang = fault('hang');
  if (hang === true || hang === '1' || hang === 'before') await forever();
  let r;
  if (cmd === 'status') r = cmdStatus();
  else if (cmd === 'config') {
    if (pos[0].toLowerCase() !== 'server') r = err('Unknown setting.');
    else if (pos[1] === undefined) r = str(get('serverUrl', null) ?? 'https://bitwarden.com');
    else if (authed()) r = err('Logout required before server config update.');
    else {
      S.serverUrl = pos[1];
      saveState();
      r = msg('Saved setting `config`.');
    }
  } else if (cmd === 'login')
    r = o.check ? (authed() ? msg('You are logged in!') : err('You are not logged in.')) : cmdLogin(pos, o);
  else if (cmd === 'get' && !GETS.includes(pos[0]))
    r = err(`Unknown object "${pos[0]}". Allowed objects are: ${GETS.join(', ')}.`);
  else if (cmd === 'list' && !LISTS.includes(pos[0]))
    r = err(`Unknown object "${pos[0]}". Allowed objects are: ${LISTS.join(', ')}.`);
  else if (!authed()) r = err('You are not logged in.');
  else if (cmd === 'serve') {
    await serve(o);
    return;
  } else if (cmd === 'unlock')
    r = o.check ? (unlocked() ? msg('Vault is unlocked!') : err('Vault is locked.')) : await cmdUnlock(pos, o);
  else if (cmd === 'sync') r = await cmdSync(o);
  else if (cmd === 'lock') {
    S.session = crypto.randomBytes(64).toString('base64');
    S.status = 'locked';
    saveState();
    r = msg('Your vault is locked.');
  } else if (cmd === 'logout') {
    S.status = 'unauthenticated';
    delete S.session;
    saveState();
    r = msg('You have logged out.');
  } else r = (await requireUnlocked()) ?? (cmd === 'get' ? cmdGet(pos[0], pos[1]) : cmdList(pos[0], o));
  const noise = fault('stderr_noise');
  if (noise) fs.writeSync(2, `${noise}\n`);
  finish(r);
  if (hang === 'after') await forever(); // real: output printed, process kept alive by an unanswered /api/config request
  const linger = Number(fault('linger_ms') ?? 0);
  if (linger) await sleep(linger);
}
main().then(
  () => process.exit(process.exitCode ?? 0),
  (error) => {
    fs.writeSync(2, `${error?.stack ?? error}\n`);
    process.exit(1);
  },
);
