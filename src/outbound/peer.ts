/** Whom we call: its addresses, and how we know that it is the one. */

import { X509Certificate } from 'node:crypto';
import { StartError } from '../errors.ts';

export interface Peer {
  /** What it is called in the log, in alerts and in figures, such as proxmox:home. */
  name: string;
  /** Origins such as https://pve1.lan:8006: all are the same to us, and the next is asked where one does not answer. */
  addresses: readonly string[];
  /** The certificates of its authority in PEM, believed in place of those that the system trusts. */
  ca?: string;
  /** SHA-256 of the certificate that it shows, in hexadecimal digits with or without colons. */
  fingerprint?: string;
}

/** Throws StartError with a sentence that says what to write instead. Addresses are brought to their one form. */
export function checkedPeer(peer: Peer): Peer {
  const refuse = (sentence: string): never => {
    throw new StartError(`${peer.name}: ${sentence}`);
  };
  if (peer.addresses.length === 0) refuse('it has no address; write one such as https://pve1.lan:8006.');
  const addresses = peer.addresses.map((address) => checkedAddress(address, refuse));
  const { ca, fingerprint } = peer;
  if (ca === undefined && fingerprint === undefined) return { ...peer, addresses };
  if (ca !== undefined && fingerprint !== undefined)
    refuse('ca and fingerprint are two ways to know it; give one. The ca goes on after the certificate is renewed.');
  const plain = addresses.find((address) => address.startsWith('http:'));
  if (plain !== undefined) refuse(`${plain} shows no certificate, so that ca and fingerprint cannot be kept to.`);
  if (fingerprint !== undefined && !/^[0-9A-F]{64}$/.test(plainFingerprint(fingerprint)))
    refuse('fingerprint must be a SHA-256 of 64 hexadecimal digits, such as AB:CD:… for 32 pairs.');
  if (ca !== undefined && !isCertificate(ca))
    refuse('ca must be certificates in PEM, which begin with -----BEGIN CERTIFICATE-----.');
  return { ...peer, addresses };
}

export function plainFingerprint(written: string): string {
  return written.replaceAll(/[:\s]/g, '').toUpperCase();
}

/** What stands there is not repeated where it could hold a password. */
function checkedAddress(address: string, refuse: (sentence: string) => never): string {
  const url = URL.canParse(address.trim()) ? new URL(address.trim()) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) return refuse('an address must look like https://pve1.lan:8006.');
  if (url.username || url.password)
    return refuse('an address holds a user or password, which belongs into no address.');
  if (url.pathname !== '/' || url.search || url.hash)
    return refuse(`${url.origin} is an address, and what stands behind it is too much.`);
  if (url.protocol === 'http:' && !isThisMachine(url.hostname))
    return refuse(`${url.origin} would carry secrets over the network in the clear; write https.`);
  return url.origin;
}

function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== '';
  } catch {
    return false;
  }
}
