/** Serves files over HTTP as an index of packages does, for specs of downloads. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Ways in which a transfer can go wrong; each befalls one request. */
export type Mishap = 'cut' | 'stall' | 'damage' | 'busy';

export interface FileServer {
  readonly url: string;
  /** What was asked for: path and range. */
  readonly requests: { readonly path: string; readonly range?: string }[];
  /** Befall the next requests, in order. */
  readonly mishaps: Mishap[];
  close(): Promise<void>;
}

/** Serves files by name from memory, with ranges and, like Google's storage, an MD5 of each in a header. */
export async function serveFiles(files: Record<string, Buffer>): Promise<FileServer> {
  const requests: FileServer['requests'] = [];
  const mishaps: Mishap[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    requests.push({ path, range: request.headers.range });
    const data = files[path];
    if (!data) response.writeHead(404).end();
    else answer(request, response, data, mishaps.shift());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    mishaps,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(request: IncomingMessage, response: ServerResponse, data: Buffer, mishap: Mishap | undefined): void {
  if (mishap === 'busy') return void response.writeHead(503).end();
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const md5 = createHash('md5').update(data).digest('base64');
  const headers = { 'x-goog-hash': `md5=${md5}` };
  if (start >= data.length) {
    return void response.writeHead(416, { ...headers, 'content-range': `bytes */${data.length}` }).end();
  }
  const rest = Buffer.from(data.subarray(start));
  if (mishap === 'damage') rest[0] = (rest[0] ?? 0) ^ 1;
  response.writeHead(start > 0 ? 206 : 200, {
    ...headers,
    'content-length': rest.length,
    'content-range': `bytes ${start}-${data.length - 1}/${data.length}`,
  });
  if (mishap === 'cut')
    response.write(rest.subarray(0, rest.length / 2), () => setTimeout(() => response.destroy(), 50));
  else if (mishap === 'stall') response.write(rest.subarray(0, rest.length / 2));
  else response.end(rest);
}
