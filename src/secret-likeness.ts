/**
 * Whether a text holds what looks like a secret: for places that must never keep one. It may be mistaken, and says why it
 * thinks so, without the value. Pure.
 */

/** What issuers put in front of what they hand out, so that it is found where it does not belong. */
const prefixes: readonly (readonly [form: RegExp, what: string])[] = [
  [/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/, 'a private key'],
  [/PuTTY-User-Key-File-\d/, 'a private key of PuTTY'],
  [/AGE-SECRET-KEY-1[0-9A-Z]{20}/, 'a private key of age'],
  [/\b(?:gh[pousr]_[A-Za-z0-9]{20}|github_pat_[A-Za-z0-9_]{20})/, 'a token of GitHub'],
  [/\bglpat-[\w-]{16}/, 'a token of GitLab'],
  [/\brollcall_[\w-]{20}/, 'a token of Rollcall'],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/, 'an access key of AWS'],
  [/\bxox[abeprs]-[\w-]{10}/, 'a token of Slack'],
  [/\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{10}/, 'a key of Stripe'],
  [/\bsk-[\w-]{20}/, 'an API key'],
  [/\bdop_v1_[a-f0-9]{20}/, 'a token of DigitalOcean'],
  [/\bhvs\.[\w-]{20}/, 'a token of Vault'],
  [/\btskey-[\w-]{10}/, 'a key of Tailscale'],
  [/\bnpm_[A-Za-z0-9]{20}/, 'a token of npm'],
  [/\bAIza[\w-]{30}/, 'an API key of Google'],
  [/\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*/, 'a JSON web token'],
  [
    /[\w.-]{1,64}@[\w.-]{1,64}![\w.-]{1,64}=[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i,
    'a token of Proxmox VE',
  ],
  [/\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@]{0,100}:[^\s/@]{1,100}@/i, 'an address with a password in it'],
  // Of a plain word, a date or where it is kept, people speak in prose.
  [
    /\b(?:pass(?:word|wd|phrase)?|secret|token|api[ _-]?key)\s*[:=]\s*["']?(?!https?:|env:|file:|vaultwarden:|\d{4}-\d\d)(?=[a-z-]{0,60}[^\sa-z<>,;"'*&./:-])[^\s<>,;"'*&]{6,}/i,
    'a secret behind its name',
  ],
  [/\$(?:2[abxy]|5|6|y|argon2id?)\$[^\s]{20}/, 'the hash of a password'],
];

/** What stands alone between blanks and quotes, and is long enough to be drawn by lot. */
const words = /[A-Za-z0-9+/=_.~-]{20,}/g;
/** No id and no name of a host is longer. */
const longestKnown = 256;
const known =
  /^(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$|^(?:[a-z0-9.-]+\.[a-z]{2,})(?:\/.*)?$/i;
/** A fingerprint is for everyone to see, and says what it is. */
const fingerprints = /\b(?:SHA256:|MD5:|sha(?:1|256|512)[:-])[A-Za-z0-9+/=:-]+/gi;
/** Bits a character: prose and names of machines stay below, what is drawn by lot from letters and digits is above. */
const drawnByLot = 3.6;
const drawnByLotHex = 3;

/** What it looks like, such as "a token of GitHub"; undefined where it looks like none. */
export function secretLikeness(text: string): string | undefined {
  const issued = issuedLikeness(text);
  if (issued !== undefined) return issued;
  const others = text.replaceAll(fingerprints, ' ');
  const drawn = (others.match(words) ?? []).some(isDrawnByLot);
  return drawn ? 'drawn by lot, as passwords and keys are' : undefined;
}

/** The same of what bears the mark of its kind alone: for texts in which ids that were drawn by lot belong. */
export function issuedLikeness(text: string): string | undefined {
  return prefixes.find(([form]) => form.test(text))?.[1];
}

/** The same text, with stars in place of what looks like a secret. */
export function withoutSecrets(text: string): string {
  if (secretLikeness(text) === undefined) return text;
  const words = text.split(/(\s+|["',;])/).map((word) => (secretLikeness(word) === undefined ? word : stars));
  const rest = words.join('');
  // It stands in several words.
  return secretLikeness(rest) === undefined ? rest : stars;
}

const stars = '***';

function isDrawnByLot(word: string): boolean {
  if (word.length < longestKnown && known.test(word)) return false;
  if (/^(?:[0-9a-f]{32,}|[0-9A-F]{32,})$/.test(word)) return entropyOf(word) > drawnByLotHex;
  // Words put together with dashes, dots and slashes, as in names and paths, are judged one by one.
  return word.split(/[./_~-]+/).some((part) => part.length >= 20 && isMixed(part) && entropyOf(part) > drawnByLot);
}

/** Letters of both cases with digits among them; of one case, more than a few digits. */
function isMixed(word: string): boolean {
  const digits = word.match(/\d/g)?.length ?? 0;
  const hasBoth = /[a-z]/.test(word) && /[A-Z]/.test(word);
  return hasBoth ? digits > 0 || /[a-z][A-Z][a-z]?[A-Z]/.test(word) : digits >= 4 && /[a-z]/i.test(word);
}

/** Shannon's, in bits a character. */
function entropyOf(word: string): number {
  const counts = new Map<string, number>();
  for (const letter of word) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / word.length) * Math.log2(count / word.length);
  return bits;
}
