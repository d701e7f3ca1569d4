/** The server against those who mean harm: other hosts, other paths, other methods, bodies; and what it serves. */
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeImage } from '@pyramidal/images';
import { inspectDetections } from '../detection/inspect-detections';
import { toInspect, toySet, writePictures } from '../testing/toy-set';
import { type Inspector, openInspector } from './open-inspector';

const folder = mkdtempSync(join(tmpdir(), 'inspector-'));
const set = toySet(6);
const errors: unknown[] = [];
/** Stands in files that are not served. */
const SECRET = 'hunter2';
let inspector: Inspector;

beforeAll(async () => {
  await writePictures(join(folder, 'images'), set.dataset);
  writeFileSync(join(folder, 'images/5.png'), 'no picture');
  writeFileSync(join(folder, 'secret.txt'), SECRET);
  mkdirSync(join(folder, 'site/assets'), { recursive: true });
  writeFileSync(join(folder, 'site/index.html'), '<!doctype html><title>page</title>');
  writeFileSync(join(folder, 'site/assets/main.js'), 'void 0;');
  writeFileSync(join(folder, 'site/notes.txt'), SECRET);
  inspector = await openInspector(inspectDetections(toInspect(set, join(folder, 'images'))), {
    port: 0,
    site: join(folder, 'site'),
    onError: (error) => errors.push(error),
  });
});

afterAll(async () => {
  await inspector.close();
  rmSync(folder, { recursive: true });
});

afterEach(async () => {
  expect(errors).toEqual([]);
  expect((await fetch(`${inspector.address}/api/about`)).status).toBe(200); // whatever came before, it is up
});

const get = (path: string): Promise<Response> => fetch(inspector.address + path);

/** As it is written: `fetch` tidies paths and forbids hosts. */
function ask(path: string, options: { headers?: Record<string, string>; method?: string; body?: string } = {}) {
  const { headers, method = 'GET', body } = options;
  const { port } = new URL(inspector.address);
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const asked = httpRequest({ host: '127.0.0.1', port, path, method, headers }, async (answer) => {
      let text = '';
      for await (const chunk of answer) text += String(chunk);
      resolve({ status: answer.statusCode!, text });
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

it('listens on this machine alone', () => {
  expect(inspector.address).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
});

it('serves its page, which may load nothing from elsewhere', async () => {
  const page = await get('/');
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  const policy = page.headers.get('content-security-policy')!;
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe|\*|https?:/);
  expect(page.headers.get('x-content-type-options')).toBe('nosniff');
  expect(page.headers.get('cross-origin-resource-policy')).toBe('same-origin');
  expect(await (await get('/assets/main.js')).text()).toBe('void 0;');
});

it('serves pictures of the data set by their number, encoded anew', async () => {
  const thumbnail = await get('/thumbnails/2');
  expect(thumbnail.headers.get('content-type')).toBe('image/jpeg');
  const { width, height } = await decodeImage(new Uint8Array(await thumbnail.arrayBuffer()));
  expect([width, height]).toEqual([320, 240]);
  const picture = await decodeImage(new Uint8Array(await (await get('/pictures/2')).arrayBuffer()));
  expect([picture.width, picture.height]).toEqual([96, 72]);
  expect(await (await get('/api/images/2')).json()).toMatchObject({ index: 2, name: '2.png', width: 96 });
});

it('says in one line that a picture is broken', async () => {
  const broken = await get('/thumbnails/5');
  expect(broken.status).toBe(422);
  expect(await broken.json()).toEqual({ error: expect.stringMatching(/^\S+5\.png: cannot be decoded: [^\n]+$/) });
});

it.each([
  ...['/../secret.txt', '/assets/../../secret.txt', '/assets/..%2f..%2fsecret.txt', '/%2e%2e/secret.txt'],
  ...['/thumbnails/../secret.txt', '/thumbnails/..%2Fsecret.txt', '/pictures/%2e%2e%2fsecret.txt', '/notes.txt'],
  ...['/pictures/6', '/pictures/-1', '/pictures/1.5', '/pictures/1e0', '/pictures/0x1', '/pictures/99999999999'],
  ...[
    '/api/images/6',
    '/api/images/__proto__',
    '/api/images/%00',
    '/pictures/2%00.png',
    '/constructor',
    '/maps/0/label',
  ],
  ...['/export/..%2f..%2fsecret.json', '/export/toString.json', '//etc/passwd', '/assets\\..\\..\\secret.txt'],
])('has nothing at %s', async (path) => {
  const { status, text } = await ask(path);
  expect([400, 404]).toContain(status);
  expect(text).not.toContain(SECRET);
});

it.each([
  'evil.example',
  'evil.example:PORT',
  '127.0.0.1.evil.example:PORT',
  'localhost:1',
  '127.0.0.1',
  '0.0.0.0:PORT',
])('refuses requests for the host %j, as a rebound name sends them', async (host) => {
  const { port } = new URL(inspector.address);
  for (const path of ['/', '/api/about', '/pictures/0', '/nothing']) {
    const { status, text } = await ask(path, { headers: { host: host.replace('PORT', port) } });
    expect([400, 403]).toContain(status);
    expect(text).not.toContain('toys');
  }
});

it('takes the names that mean this machine', async () => {
  const { port } = new URL(inspector.address);
  for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`]) {
    expect((await ask('/api/about', { headers: { host } })).status).toBe(200);
  }
});

it.each(['POST', 'PUT', 'DELETE', 'PATCH'])('takes no %s', async (method) => {
  const body = '{"__proto__": {}}';
  const headers = { 'content-type': 'application/json', 'content-length': String(body.length) };
  expect(await ask('/api/selection', { method, body, headers })).toMatchObject({ status: 405 });
});

it('is not held up by a body that is huge or nested without end', async () => {
  for (const body of ['['.repeat(5_000_000), `{"a":`.repeat(1_000_000), 'x'.repeat(20_000_000)]) {
    const headers = { 'content-type': 'application/json', 'content-length': String(body.length) };
    const answer = ask('/api/about', { method: 'POST', body, headers });
    // It may be told before it has sent all, and then finds nobody who listens.
    await answer.then(({ status }) => expect(status).toBe(405), (error: NodeJS.ErrnoException) => expect(['ECONNRESET', 'EPIPE']).toContain(error.code)); // prettier-ignore
  }
});

it('says in one line what is wrong with a filter, however long', async () => {
  for (const query of [
    'kind=nothing',
    'class=-1',
    'class[]=1',
    'cell=9:9',
    'x=1',
    `class=${'9'.repeat(8000)}`,
    '%ff=%',
  ]) {
    const answer = await get(`/api/selection?${query}`);
    expect(answer.status).toBe(400);
    const { error } = (await answer.json()) as { error: string };
    expect(error).toMatch(/^[^\n]{1,400}$/);
  }
  expect((await ask(`/api/selection?${'a'.repeat(100_000)}`)).status).toBe(431);
});

it('stands what is no HTTP, and tells nothing without a host', async () => {
  const { port } = new URL(inspector.address);
  const about = 'GET /api/about HTTP/1.';
  const texts = ['\0\0\0', 'GET', `${about}1\r\nHost: a\r\nHost: b\r\n\r\n`, `${about}0\r\n\r\n`, 'A'.repeat(100_000)];
  for (const text of [...texts, `${about}1\r\n\r\n`, `${about}1\r\nHost:\r\nConnection: close\r\n\r\n`]) {
    const socket = connect(Number(port), '127.0.0.1', () => socket.end(text));
    let answer = '';
    socket.on('error', () => undefined).on('data', (data) => (answer += String(data)));
    await once(socket, 'close');
    expect(answer).not.toContain('toys');
  }
});

it('saves a selection as a file', async () => {
  const saved = await get('/export/annotations.json?kind=missed');
  expect(saved.headers.get('content-disposition')).toBe('attachment; filename="annotations.json"');
  expect(Object.keys((await saved.json()) as object)).toEqual(['categories', 'images', 'annotations']);
});
