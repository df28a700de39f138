/** A request as it stands on the wire: the path, the headers and the bytes are a test's own. */

import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { connect } from 'node:net';

export interface Sent {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: Buffer | string;
  /** The certificate that is believed. */
  ca?: string;
}

export interface Got {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  text: string;
}

export async function send(url: string, { method = 'GET', path = '/', headers = {}, body, ca }: Sent): Promise<Got> {
  const { hostname, port, protocol } = new URL(url);
  const request = protocol === 'https:' ? tlsRequest : plainRequest;
  const host = hostname.replaceAll(/[[\]]/g, '');
  return await new Promise((resolve, reject) => {
    const outgoing = request({ host, port, method, path, headers, agent: false, ...(ca ? { ca } : {}) }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(parts).toString(),
        }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Bytes in, all bytes that come back until the other side closes. */
export async function sendBytes(
  url: string,
  bytes: string | Buffer,
  after: 'wait' | 'hang up' = 'wait',
): Promise<string> {
  const { hostname, port } = new URL(url);
  return await new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => {
      if (after === 'hang up') socket.end(bytes);
      else socket.write(bytes);
    });
    let got = '';
    socket.on('data', (part) => {
      got += part.toString();
    });
    socket.on('close', () => resolve(got));
    socket.on('error', reject);
  });
}
