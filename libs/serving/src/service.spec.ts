/** A service of a model made for the test: answers, limits, errors, and how it stops. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { BrokenImageError } from '@pyramidal/images';
import { openService, RequestError, type Service, type ServedModel, type ServiceOptions } from '.';

/** Finds the length of each image; some first bytes stand for what goes wrong. */
class LengthModel implements ServedModel {
  readonly task = 'lengths';
  readonly classes = ['short', 'long'];
  isClosed = false;
  /** Requests wait here while it is set. */
  gate: Promise<void> | undefined;
  asked = 0;
  aborted = 0;

  async predict(image: Uint8Array, { query, signal }: Parameters<ServedModel['predict']>[1]): Promise<object> {
    if (query['score'] === 'x') throw new RequestError("score: expected a number from 0 to 1, received 'x'");
    if (image[0] === 0) throw new BrokenImageError('request', 'cannot be decoded: it is no picture');
    if (image[0] === 1) throw new Error('secret');
    this.asked++;
    signal.addEventListener('abort', () => this.aborted++);
    const aborted = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    await Promise.race([this.gate, aborted]);
    return { length: image.length };
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

describe('a service', () => {
  let model: LengthModel;
  let service: Service;
  const errors: unknown[] = [];
  const open = async (options: ServiceOptions = {}): Promise<void> => {
    model = new LengthModel();
    service = await openService(model, { port: 0, onError: (error) => errors.push(error), ...options });
  };
  const post = (body: RequestInit['body'], path = '/predict', init: RequestInit = {}): Promise<Response> =>
    fetch(service.address + path, { method: 'POST', body, ...init });
  const told = async (answer: Response): Promise<[number, unknown]> => [answer.status, await answer.json()];
  const picture = (length: number) => new Uint8Array(length).fill(7);

  beforeEach(() => void (errors.length = 0));
  afterEach(() => service.close());

  it('answers about the bytes of an image, whatever type they are called', async () => {
    await open();
    for (const type of ['image/jpeg', 'application/octet-stream', 'application/json', 'text/plain']) {
      expect(await told(await post(picture(5), '/predict', { headers: { 'content-type': type } }))).toEqual([
        200,
        { length: 5 },
      ]);
    }
    expect(await told(await post(picture(6)))).toEqual([200, { length: 6 }]);
  });

  it('takes a form with a file', async () => {
    await open();
    const form = new FormData();
    form.append('image', new Blob([picture(9)]), 'a.jpg');
    expect(await told(await post(form))).toEqual([200, { length: 9 }]);
  });

  it('tells what it is, its classes, and what Prometheus asks for', async () => {
    await open();
    await post(picture(3));
    const get = (path: string): Promise<Response> => fetch(service.address + path);
    expect(await told(await get('/health'))).toEqual([200, { status: 'ok', task: 'lengths', classes: 2 }]);
    expect(await told(await get('/classes'))).toEqual([200, ['short', 'long']]);
    const text = await (await get('/metrics')).text();
    expect(text).toContain('pyramidal_requests_total{route="/predict",status="200"} 1');
    expect(text).toMatch(/pyramidal_request_seconds_count\{route="\/predict"\} 1/);
    expect(text).toContain('pyramidal_requests_in_work 0');
    expect(text).toContain('process_resident_memory_bytes');
  });

  it('has a page that may ask for nothing outside', async () => {
    await open();
    const answer = await fetch(service.address);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await answer.text()).not.toMatch(/(src|href)="|https?:/);
  });

  it('says in one line what is wrong with a request, and goes on', async () => {
    await open({ maxBytes: 100 });
    const image = 'the image: expected at most 100 bytes';
    expect(await told(await post(Uint8Array.of(0)))).toEqual([
      400,
      { error: 'request: cannot be decoded: it is no picture' },
    ]);
    expect(await told(await post(new Uint8Array(0)))).toEqual([
      400,
      { error: '/predict: expected the bytes of an image, received nothing' },
    ]);
    expect(await told(await post(picture(1), '/predict?score=x'))).toEqual([
      400,
      { error: "score: expected a number from 0 to 1, received 'x'" },
    ]);
    expect(await told(await post(picture(101)))).toEqual([413, { error: image }]);
    const form = new FormData();
    form.append('image', new Blob([picture(101)]), 'a.jpg');
    expect(await told(await post(form))).toEqual([413, { error: image }]);
    expect(await told(await post(picture(1), '/other'))).toEqual([
      404,
      { error: 'POST /other: expected POST /predict' },
    ]);
    expect((await fetch(`${service.address}/predict`)).status).toBe(404);
    for (const type of ['multipart/form-data', 'multipart/form-data; boundary=x']) {
      const headers = { 'content-type': type };
      const [status, { error }] = (await told(await post(picture(50), '/predict', { headers }))) as [
        number,
        { error: string },
      ];
      expect([status, error]).toEqual([
        400,
        expect.stringMatching(/^\/predict: expected a form with a file, received/),
      ]);
    }
    expect(errors).toEqual([]);
    expect(await told(await post(picture(2)))).toEqual([200, { length: 2 }]);
  });

  it('keeps the words of its own faults for its log', async () => {
    await open();
    expect(await told(await post(Uint8Array.of(1)))).toEqual([
      500,
      { error: 'unexpected error; the log of the service says more' },
    ]);
    expect(errors).toEqual([new Error('secret')]);
  });

  it('turns callers away while the queue is full, and takes them again afterwards', async () => {
    await open({ queue: 2 });
    let openGate = (): void => undefined;
    model.gate = new Promise((resolve) => (openGate = resolve));
    const taken = [post(picture(1)), post(picture(2))];
    await waitFor(async () => (await (await fetch(`${service.address}/metrics`)).text()).includes('in_work 2'));
    const refused = await post(picture(3));
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    openGate();
    expect(await Promise.all(taken.map(async (answer) => (await answer).status))).toEqual([200, 200]);
    model.gate = undefined;
    await waitFor(async () => (await post(picture(3))).status === 200);
  });

  it('gives a request up when its time is over, and when its caller has gone', async () => {
    await open({ timeout: 100 });
    model.gate = new Promise(() => undefined);
    expect((await post(picture(1))).status).toBe(504);
    const caller = new AbortController();
    const left = post(picture(1), '/predict', { signal: caller.signal });
    left.catch(() => undefined); // looked at below
    await waitFor(async () => model.asked === 2);
    caller.abort();
    await expect(left).rejects.toThrow();
    await waitFor(async () => model.aborted === 2);
  });

  it('finishes what it took before it closes the model', async () => {
    await open();
    let openGate = (): void => undefined;
    model.gate = new Promise((resolve) => (openGate = resolve));
    const answer = post(picture(4));
    await waitFor(async () => (await (await fetch(`${service.address}/metrics`)).text()).includes('in_work 1'));
    const closed = service.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(model.isClosed).toBe(false);
    openGate();
    expect(await told(await answer)).toEqual([200, { length: 4 }]);
    await closed;
    expect(model.isClosed).toBe(true);
    await expect(post(picture(1))).rejects.toThrow();
  });

  it('is not held up by a connection that asks for nothing', async () => {
    await open();
    const silent = connect(Number(new URL(service.address).port), '127.0.0.1');
    await once(silent, 'connect');
    await service.close();
    expect(model.isClosed).toBe(true);
    silent.destroy();
  });

  it('stands what is no HTTP', async () => {
    await open();
    const { port } = new URL(service.address);
    for (const text of [
      '\0\0\0',
      'GET',
      `POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n`,
      'A'.repeat(100_000),
    ]) {
      await new Promise<void>((resolve) => {
        const socket = connect(Number(port), '127.0.0.1', () => socket.end(text));
        socket
          .on('error', () => undefined)
          .on('close', () => resolve())
          .resume();
      });
    }
    expect((await post(picture(2))).status).toBe(200);
  });

  it('says where it cannot listen, and closes the model', async () => {
    await open();
    const other = new LengthModel();
    const port = Number(new URL(service.address).port);
    await expect(openService(other, { port })).rejects.toThrow(/EADDRINUSE/);
    expect(other.isClosed).toBe(true);
  });
});

async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it never came true');
}
