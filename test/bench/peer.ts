/** The peer of the inventory's answers: an express route that sends a ready Buffer. `node peer.ts FILE` prints its address. */

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import express from 'express';

const body = readFileSync(process.argv[2] as string);
const packed = gzipSync(body);
const app = express();
app.set('etag', false);
app.get('/plain', (_request, response) => {
  response.type('application/json').send(body);
});
app.get('/packed', (_request, response) => {
  response.type('application/json').set('Content-Encoding', 'gzip').send(packed);
});
const server = createServer(app).listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
