#!/usr/bin/env node
import crypto from 'node:crypto';
import fs from 'node:fs';
// A stand-in for a VaultWarden server, for tests: enough for Bitwarden's own CLI to log in, unlock, sync and read. It takes
// the same vault in plain JSON as bw.mjs beside it, encrypts it as a client would have done, and never writes. TLS alone,
// since the CLI takes nothing else. `state.mode` makes it go wrong: 500, 401, 429, hang.
//   openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -keyout key.pem -out cert.pem -subj /CN=localhost \
//     -addext subjectAltName=DNS:localhost,IP:127.0.0.1
//   node vaultwarden-sim.mjs --vault vault.json --cert cert.pem --key key.pem --port 18443
import https from 'node:https';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const KDF_ITERATIONS = 600000;
const expand = (prk, info, len) => {
  let t = Buffer.alloc(0),
    o = Buffer.alloc(0),
    i = 1;
  while (o.length < len) {
    t = crypto
      .createHmac('sha256', prk)
      .update(Buffer.concat([t, Buffer.from(info), Buffer.from([i++])]))
      .digest();
    o = Buffer.concat([o, t]);
  }
  return o.subarray(0, len);
};
function seal(plain, key) {
  // EncString type 2: AES-256-CBC + HMAC-SHA256
  const iv = crypto.randomBytes(16),
    c = crypto.createCipheriv('aes-256-cbc', key.subarray(0, 32), iv),
    ct = Buffer.concat([c.update(plain), c.final()]);
  return `2.${iv.toString('base64')}|${ct.toString('base64')}|${crypto
    .createHmac('sha256', key.subarray(32))
    .update(Buffer.concat([iv, ct]))
    .digest('base64')}`;
}
const guidFor = (name) => {
  const h = crypto.createHash('sha256').update(name).digest('hex');
  return `${h.slice(0, 8)}-${h.slice(8, 12)}-4${h.slice(13, 16)}-8${h.slice(17, 20)}-${h.slice(20, 32)}`;
};

export async function startVaultwardenSim({ vault, cert, key, port = 0, host = '127.0.0.1', log = null }) {
  const read = () => (typeof vault === 'string' ? JSON.parse(fs.readFileSync(vault, 'utf8')) : vault);
  const v0 = read(),
    email = (v0.userEmail ?? 'user@example.test').toLowerCase(),
    password = v0.masterPassword ?? 'master',
    userId = v0.userId ?? '00000000-0000-4000-8000-000000000000';
  const mk = crypto.pbkdf2Sync(password, email, KDF_ITERATIONS, 32, 'sha256');
  const hash = crypto.pbkdf2Sync(mk, password, 1, 32, 'sha256').toString('base64');
  const userKey = crypto.randomBytes(64),
    akey = seal(userKey, Buffer.concat([expand(mk, 'enc', 32), expand(mk, 'mac', 32)]));
  const rsa = crypto.generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  });
  const priv = seal(rsa.privateKey, userKey),
    pub = rsa.publicKey.toString('base64');
  const E = (s) => (s == null ? null : seal(Buffer.from(String(s)), userKey));
  const state = { mode: 'ok', requests: [], touched: Date.now() };
  const b64u = (o) => Buffer.from(JSON.stringify(o)).toString('base64url');
  const token = () => {
    const n = Math.floor(Date.now() / 1000);
    return [
      b64u({ alg: 'RS256', typ: 'JWT' }),
      b64u({
        nbf: n - 5,
        exp: n + 3600,
        iss: 'sim|login',
        sub: userId,
        premium: true,
        name: 'Rollcall',
        email,
        email_verified: true,
        sstamp: 'sim',
        device: 'sim',
        scope: ['api', 'offline_access'],
        amr: ['Application'],
      }),
      'c2lt',
    ].join('.');
  };
  const unlockData = (up) => {
    const f = (k) => (up ? k[0].toUpperCase() + k.slice(1) : k),
      o = {};
    o[f('kdf')] = {
      [f('kdfType')]: 0,
      [f('iterations')]: KDF_ITERATIONS,
      [f('memory')]: null,
      [f('parallelism')]: null,
    };
    o[f('masterKeyEncryptedUserKey')] = akey;
    o[f('masterKeyWrappedUserKey')] = akey;
    o[f('salt')] = email;
    return o;
  };
  const cipher = (i) => {
    const type = i.type ?? 1,
      l = i.login ?? {};
    return {
      object: 'cipherDetails',
      id: i.id ?? guidFor(i.name ?? ''),
      type,
      creationDate: i.creationDate ?? '2024-01-01T00:00:00.000Z',
      revisionDate: i.revisionDate ?? i.creationDate ?? '2024-01-01T00:00:00.000Z',
      deletedDate: i.deletedDate ?? null,
      archivedDate: i.archivedDate ?? null,
      reprompt: i.reprompt ?? 0,
      organizationId: null,
      key: null,
      attachments: null,
      organizationUseTotp: true,
      collectionIds: [],
      name: E(i.name),
      notes: E(i.notes),
      fields: (i.fields ?? []).map((f) => ({ name: E(f.name), value: E(f.value), type: f.type ?? 0, linkedId: null })),
      passwordHistory: (i.passwordHistory ?? []).map((h) => ({
        password: E(h.password),
        lastUsedDate: h.lastUsedDate,
      })),
      login:
        type === 1
          ? {
              username: E(l.username),
              password: E(l.password),
              passwordRevisionDate: l.passwordRevisionDate ?? null,
              totp: E(l.totp),
              uri: null,
              uris: (l.uris ?? [])
                .map((u) => (typeof u === 'string' ? u : u.uri))
                .map((u) => ({
                  uri: E(u),
                  match: null,
                  uriChecksum: E(crypto.createHash('sha256').update(u).digest('base64')),
                })),
              autofillOnPageLoad: null,
            }
          : null,
      secureNote: type === 2 ? { type: 0 } : null,
      card: null,
      identity: null,
      sshKey:
        type === 5
          ? {
              privateKey: E(i.sshKey?.privateKey ?? ''),
              publicKey: E(i.sshKey?.publicKey ?? ''),
              keyFingerprint: E(i.sshKey?.keyFingerprint ?? ''),
            }
          : null,
      folderId: i.folderId ?? null,
      favorite: !!i.favorite,
      edit: true,
      viewPassword: true,
      permissions: { delete: true, restore: true },
    };
  };
  const keys = {
    publicKeyEncryptionKeyPair: {
      wrappedPrivateKey: priv,
      publicKey: pub,
      signedPublicKey: null,
      object: 'publicKeyEncryptionKeyPair',
    },
    securityState: null,
    signatureKeyPair: null,
    object: 'privateKeys',
  };
  const profile = () => ({
    _status: 0,
    accountKeys: keys,
    id: userId,
    name: 'Rollcall',
    email,
    emailVerified: true,
    premium: true,
    premiumFromOrganization: false,
    culture: 'en-US',
    twoFactorEnabled: false,
    key: akey,
    privateKey: priv,
    securityStamp: 'sim',
    organizations: [],
    providers: [],
    providerOrganizations: [],
    forcePasswordReset: false,
    avatarColor: null,
    usesKeyConnector: false,
    creationDate: '2024-01-01T00:00:00.000Z',
    object: 'profile',
  });
  const server = https.createServer({ cert, key }, (q, s) => {
    let b = '';
    q.on('data', (d) => (b += d));
    q.on('end', () => {
      const u = new URL(q.url, 'https://x'),
        p = u.pathname.toLowerCase(),
        J = (o, c = 200) => {
          s.writeHead(c, { 'content-type': 'application/json' });
          s.end(JSON.stringify(o));
        };
      if (p === '/__sim/mode') {
        state.mode = u.searchParams.get('m') ?? 'ok';
        return J({ mode: state.mode });
      } // ok | 500 | 401 | 429 | hang
      if (p === '/__sim/touch') {
        state.touched = Date.now();
        return J({ ok: true });
      }
      state.requests.push({ method: q.method, path: u.pathname });
      if (log) log(`${q.method} ${u.pathname}`);
      const V = read(),
        err = (m, c = 400) =>
          J(
            {
              message: m,
              validationErrors: { '': [m] },
              errorModel: { message: m, object: 'error' },
              error: '',
              error_description: '',
              exceptionMessage: null,
              object: 'error',
            },
            c,
          );
      if (state.mode === 'hang') return;
      if (state.mode === '500') return J({ message: 'boom' }, 500);
      if (state.mode === '429')
        return J(
          { message: 'Too many requests', errorModel: { message: 'Too many login requests', object: 'error' } },
          429,
        );
      if (state.mode === '401' && p.startsWith('/api')) return J({ error: { code: 401 } }, 401);
      if (p.startsWith('/identity/accounts/prelogin'))
        return J({
          kdf: 0,
          kdfIterations: KDF_ITERATIONS,
          kdfMemory: null,
          kdfParallelism: null,
          kdfSettings: { kdfType: 0, iterations: KDF_ITERATIONS, memory: null, parallelism: null },
          salt: email,
        });
      if (p === '/identity/connect/token') {
        const f = new URLSearchParams(b),
          g = f.get('grant_type');
        if (g === 'password' && f.get('password') !== hash) return err('Username or password is incorrect. Try again');
        if (g === 'client_credentials' && V.apiKey?.clientSecret && f.get('client_secret') !== V.apiKey.clientSecret)
          return err('Incorrect client_secret');
        return J({
          access_token: token(),
          expires_in: 3600,
          token_type: 'Bearer',
          refresh_token: 'sim-refresh',
          Key: akey,
          PrivateKey: priv,
          Kdf: 0,
          KdfIterations: KDF_ITERATIONS,
          KdfMemory: null,
          KdfParallelism: null,
          ResetMasterPassword: false,
          ForcePasswordReset: false,
          MasterPasswordPolicy: { object: 'masterPasswordPolicy' },
          scope: 'api offline_access',
          AccountKeys: {
            publicKeyEncryptionKeyPair: {
              wrappedPrivateKey: priv,
              publicKey: pub,
              Object: 'publicKeyEncryptionKeyPair',
            },
            Object: 'privateKeys',
          },
          UserDecryptionOptions: {
            HasMasterPassword: true,
            MasterPasswordUnlock: unlockData(true),
            Object: 'userDecryptionOptions',
          },
        });
      }
      const o = `https://${q.headers.host}`;
      if (p === '/api/config')
        return J({
          version: '2026.6.0',
          gitHash: null,
          server: { name: 'Vaultwarden', url: 'https://github.com/dani-garcia/vaultwarden' },
          settings: { disableUserRegistration: true },
          environment: {
            vault: o,
            api: `${o}/api`,
            identity: `${o}/identity`,
            notifications: `${o}/notifications`,
            sso: '',
            cloudRegion: null,
          },
          push: { pushTechnology: 0, vapidPublicKey: null },
          featureStates: { 'pm-19148-innovation-archive': true },
          object: 'config',
        });
      if (p === '/api/accounts/revision-date')
        return J(
          typeof vault === 'string' ? Math.max(state.touched, Math.round(fs.statSync(vault).mtimeMs)) : state.touched,
        );
      if (p === '/api/accounts/profile') return J(profile());
      if (p === '/api/sync')
        return J({
          profile: profile(),
          folders: (V.folders ?? []).map((x) => ({
            id: x.id,
            name: E(x.name),
            revisionDate: '2024-01-01T00:00:00.000Z',
            object: 'folder',
          })),
          collections: [],
          policies: [],
          ciphers: (V.items ?? []).map(cipher),
          domains: null,
          sends: [],
          userDecryption: { masterPasswordUnlock: unlockData(false) },
          object: 'sync',
        });
      J({ message: 'Not found' }, 404);
    });
  });
  await new Promise((ok, no) => {
    server.once('error', no);
    server.listen(port, host, ok);
  });
  return {
    url: `https://localhost:${server.address().port}`,
    port: server.address().port,
    email,
    password,
    state,
    close: () =>
      new Promise((ok) => {
        server.close(ok);
        server.closeAllConnections();
      }),
  };
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const o = { port: 18443 },
    a = process.argv.slice(2);
  for (let i = 0; i < a.length; i += 2) o[a[i].replace(/^--/, '')] = a[i + 1];
  if (!o.vault || !o.cert || !o.key) {
    console.error('usage: vaultwarden-sim.mjs --vault FILE --cert PEM --key PEM [--port N] [--host H]');
    process.exit(2);
  }
  const s = await startVaultwardenSim({
    vault: o.vault,
    cert: fs.readFileSync(o.cert),
    key: fs.readFileSync(o.key),
    port: Number(o.port),
    host: o.host ?? '127.0.0.1',
    log: (l) => console.error(l),
  });
  console.log(JSON.stringify({ listening: s.url, email: s.email, pid: process.pid }));
  for (const x of ['SIGINT', 'SIGTERM']) process.on(x, () => void s.close().then(() => process.exit(0)));
}
