/** The inspector's HTTP server: the page, what it asks for, and pictures by their number. Nothing is served by a path from outside. */
import { randomBytes } from 'node:crypto';
import { BrokenImageError } from '@pyramidal/images';
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { type Inspected, NotThereError } from '../inspected';
import { QueryError } from '../query';
import { guard } from './guard';
import { Pictures } from './pictures';
import { readSite, renewSite, SITE } from './site';

export interface InspectorOptions {
  /** Default 8081; 0 takes any that is free. It listens on 127.0.0.1 alone. */
  readonly port?: number;
  /** Told of every error that is not the caller's. */
  readonly onError?: (error: unknown) => void;
  /** The folder of the built page; that of this package unless told. */
  readonly site?: string;
}

/** An inspector that listens. */
export interface Inspector {
  /** Such as `http://127.0.0.1:8081`. */
  readonly address: string;
  close(): Promise<void>;
}

const TIMEOUT = 30_000;
/** No request has a body. */
const BODY_BYTES = 1024;

/**
 * Serves the page and what it shows until it is closed.
 * @throws FileError if the page was not built; Error if it cannot listen there, as the operating system has it.
 */
export async function openInspector(
  inspected: Inspected,
  { port = 8081, onError, site }: InspectorOptions = {},
): Promise<Inspector> {
  if (site === undefined) renewSite();
  const files = readSite(site ?? SITE);
  const server = fastify({ bodyLimit: BODY_BYTES, requestTimeout: TIMEOUT, forceCloseConnections: true });
  server.removeAllContentTypeParsers();
  guard(server);
  server.setErrorHandler((error: FastifyError, _request, reply) => answerError(error, reply, onError));
  server.setNotFoundHandler((request, reply) => {
    void reply.code(404).send({ error: `${request.url.slice(0, 100)}: there is no such page` });
  });
  for (const [address, { type, bytes }] of files) {
    server.get(address, (_request, reply) => reply.type(type).header('cache-control', 'no-cache').send(bytes));
  }
  addRoutes(inspected, server);
  return { address: await server.listen({ host: '127.0.0.1', port }), close: () => server.close() };
}

type OfImage = { Params: { index: string; layer: string } };

function addRoutes(inspected: Inspected, server: FastifyInstance): void {
  const version = randomBytes(8).toString('hex');
  const pictures = new Pictures();
  server.get('/api/about', () => ({ ...inspected.about, version }));
  server.get('/api/selection', (request) => inspected.select(queryOf(request)));
  server.get('/api/curve', (request) => {
    if (inspected.curve === undefined) throw new NotThereError('expected a detector, received a segmentor');
    return inspected.curve(queryOf(request));
  });
  for (const [address, hasMasks] of [
    ['/api/images/:index', false],
    ['/api/masked-images/:index', true],
  ] as const) {
    server.get<OfImage>(address, ({ params }) => inspected.image(imageOf(params.index, inspected), hasMasks));
  }
  server.get<OfImage>('/thumbnails/:index', async (request, reply) => {
    const file = inspected.picture(imageOf(request.params.index, inspected));
    return sendKept(reply, 'image/jpeg', await pictures.thumbnail(file, goneOf(reply)));
  });
  server.get<OfImage>('/pictures/:index', async (request, reply) => {
    const file = inspected.picture(imageOf(request.params.index, inspected));
    return sendKept(reply, 'image/jpeg', await pictures.whole(file, goneOf(reply)));
  });
  for (const [address, isSmall] of [
    ['/maps', false],
    ['/small-maps', true],
  ] as const) {
    server.get<OfImage>(`${address}/:index/:layer`, async ({ params: { index, layer } }, reply) => {
      const image = imageOf(index, inspected);
      if (inspected.map === undefined) throw new NotThereError('expected a segmentor, received a detector');
      return sendKept(reply, 'application/octet-stream', await inspected.map(image, layer, isSmall));
    });
  }
  for (const [name, make] of Object.entries(inspected.exports)) {
    server.get(`/export/${name}.json`, (request, reply) =>
      reply.header('content-disposition', `attachment; filename="${name}.json"`).send(make(queryOf(request))),
    );
  }
}

/** The address has this server's version in it, so that what a browser keeps is never of another one. */
function sendKept(reply: FastifyReply, type: string, bytes: Uint8Array): FastifyReply {
  return reply.type(type).header('cache-control', 'private, max-age=86400, immutable').send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)); // prettier-ignore
}

const queryOf = ({ raw }: FastifyRequest): URLSearchParams => new URL(raw.url!, 'http://localhost').searchParams;

function imageOf(text: string, { about }: Inspected): number {
  if (/^\d{1,9}$/.test(text) && Number(text) < about.images) return Number(text);
  throw new NotThereError(`image: expected a number below ${about.images}, received '${text.slice(0, 20)}'`);
}

/** Aborts when the caller has gone. */
function goneOf(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  return gone.signal;
}

/** One line, and the status that says whose fault it is. */
function answerError(error: FastifyError, reply: FastifyReply, onError: InspectorOptions['onError']): void {
  const status = statusOf(error);
  if (status >= 500) onError?.(error);
  const told = status === 500 ? 'unexpected error; the terminal says more' : error.message;
  void reply.code(status).send({ error: told });
}

function statusOf(error: FastifyError): number {
  if (error instanceof QueryError) return 400;
  if (error instanceof NotThereError) return 404;
  if (error instanceof BrokenImageError) return 422;
  if (error.name === 'AbortError') return 499; // nobody reads it
  return error.statusCode ?? 500;
}
