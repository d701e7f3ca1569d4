/** The HTTP service of a model: routes, limits, and what becomes of errors. */
import { EventEmitter, once } from 'node:events';
import multipart from '@fastify/multipart';
import { BrokenImageError } from '@pyramidal/images';
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { PAGE, PAGE_POLICY } from './page';
import { RequestError } from './request-error';
import type { ServedModel } from './served-model';
import { ServiceMetrics } from './service-metrics';

/** Where the service listens, and what it takes. */
export interface ServiceOptions {
  /** Default 127.0.0.1: this machine alone. */
  readonly host?: string;
  /** Default 8080; 0 takes any that is free. */
  readonly port?: number;
  /** Requests in work at most, those among them that still send their image; default 64. More are answered with 503. */
  readonly queue?: number;
  /** Bytes of an image's file at most; default 32 MiB. */
  readonly maxBytes?: number;
  /** Milliseconds until a request is given up, default 30,000. */
  readonly timeout?: number;
  /** Told of every error that is not the caller's. */
  readonly onError?: (error: unknown) => void;
}

/** A service that listens. */
export interface Service {
  /** Such as `http://127.0.0.1:8080`. */
  readonly address: string;
  /** Takes no more requests, answers those that it has, and closes the model. */
  close(): Promise<void>;
}

/** Seconds after which a caller who was turned away may try again. */
const RETRY_AFTER = '1';

/**
 * Serves a model: `POST /predict` with the bytes of an image, or a form with its file, answers in JSON; `GET /health`,
 * `/classes`, and `/metrics` for Prometheus; a page to try it on `/`.
 * @throws Error if it cannot listen there, as the operating system has it.
 */
export async function openService(model: ServedModel, options: ServiceOptions = {}): Promise<Service> {
  const { host = '127.0.0.1', port = 8080, timeout = 30_000, maxBytes = 32 << 20 } = options;
  // A connection that is kept open, or never asked for anything, as browsers open some ahead, would hold the end up.
  const server = fastify({ bodyLimit: maxBytes, requestTimeout: timeout, forceCloseConnections: true });
  const metrics = new ServiceMetrics();
  await takeBodies(server, maxBytes);
  server.setErrorHandler((error: FastifyError, _request, reply) => answerError(error, reply, { maxBytes, ...options }));
  server.setNotFoundHandler((request, reply) => {
    void reply.code(404).send({ error: `${request.method} ${request.url}: expected POST /predict` });
  });
  server.addHook('onResponse', async (request, reply) => {
    metrics.answered(request.routeOptions.url ?? 'other', reply.statusCode, reply.elapsedTime / 1000);
  });
  server.get('/', (_request, reply) =>
    reply.type('text/html; charset=utf-8').header('content-security-policy', PAGE_POLICY).send(PAGE),
  );
  server.get('/health', () => ({ status: 'ok', task: model.task, classes: model.classes.length }));
  server.get('/classes', () => model.classes);
  server.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()));
  const work = addPredict(server, model, metrics, { timeout, ...options });
  server.addHook('preClose', () => work.done());
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await server.close();
    metrics.close();
    await model.close();
  };
  try {
    const address = await server.listen({ host, port });
    return { address, close: () => (closing ??= close()) };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A body of any type is an image's bytes, but for a form. */
async function takeBodies(server: FastifyInstance, maxBytes: number): Promise<void> {
  server.removeAllContentTypeParsers();
  await server.register(multipart, { limits: { fileSize: maxBytes, files: 1, fields: 8, parts: 9 } });
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
}

/** The requests in work. */
interface Work {
  /** When all are answered. */
  done(): Promise<void>;
}

function addPredict(
  server: FastifyInstance,
  model: ServedModel,
  metrics: ServiceMetrics,
  { queue = 64, timeout }: ServiceOptions & { readonly timeout: number },
): Work {
  let inWork = 0;
  const answered = new EventEmitter();
  const takeIn = async (_request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (inWork >= queue) {
      // The rest of the body is not waited for.
      await reply
        .code(503)
        .headers({ 'retry-after': RETRY_AFTER, connection: 'close' })
        .send({ error: busy(queue) });
      return;
    }
    metrics.inWork.set(++inWork);
    reply.raw.once('close', () => {
      metrics.inWork.set(--inWork);
      if (inWork === 0) answered.emit('all');
    });
  };
  server.post('/predict', { onRequest: takeIn }, async (request, reply) => {
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const image = await imageOf(request);
    const query = request.query as Record<string, string>;
    return model.predict(image, { query, signal: AbortSignal.any([gone.signal, AbortSignal.timeout(timeout)]) });
  });
  return {
    async done() {
      if (inWork > 0) await once(answered, 'all');
    },
  };
}

const busy = (queue: number): string =>
  `busy: expected fewer than ${queue} requests at a time (queue); try again later`;

async function imageOf(request: FastifyRequest): Promise<Uint8Array> {
  const image = request.isMultipart() ? await fileOf(request) : request.body;
  if (image instanceof Uint8Array && image.length > 0) return image;
  throw new RequestError('/predict: expected the bytes of an image, received nothing');
}

/** The file of a form. @throws RequestError if it is no form. */
async function fileOf(request: FastifyRequest): Promise<Uint8Array | undefined> {
  try {
    return await (await request.file())?.toBuffer();
  } catch (error) {
    if ((error as FastifyError).statusCode !== undefined) throw error; // such as a file that is too large
    throw new RequestError(
      `/predict: expected a form with a file, received one that cannot be read: ${(error as Error).message}`,
    );
  }
}

/** One line, and the status that says whose fault it is. */
function answerError(error: FastifyError, reply: FastifyReply, options: ServiceOptions): void {
  const status = statusOf(error);
  if (status >= 500) options.onError?.(error);
  const told = status === 413 ? `the image: expected at most ${options.maxBytes} bytes` : messageOf(error, status);
  void reply.code(status).send({ error: told });
}

function statusOf(error: FastifyError): number {
  if (error instanceof BrokenImageError || error instanceof RequestError) return 400;
  if (error.name === 'TimeoutError') return 504;
  if (error.name === 'ClosedError') return 503;
  return error.statusCode ?? 500;
}

/** What went wrong inside is the operator's to read, not the caller's. */
function messageOf(error: FastifyError, status: number): string {
  if (status === 504) return 'the time was up before the image was through; try again later';
  return status === 500 ? 'unexpected error; the log of the service says more' : error.message;
}
