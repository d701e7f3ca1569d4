/** What is refused before anything else is looked at, and what every answer tells a browser. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** The page may load what this server serves and nothing else, and stands in no other page. */
const POLICY = [
  "default-src 'none'",
  ...["script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self' blob: data:"],
  ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
].join('; ');

const HEADERS = {
  'content-security-policy': POLICY,
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** Names that mean this machine. A page elsewhere whose name was made to mean it too (DNS rebinding) has another. */
const NAMES = ['127.0.0.1', 'localhost', '[::1]'];

/** Refuses requests that were addressed to another host, and those that are to change something. */
export function guard(server: FastifyInstance): void {
  server.addHook('onRequest', async (request: FastifyRequest, reply: FastifyReply) => {
    reply.headers(HEADERS);
    const { host = '' } = request.headers;
    const port = request.socket.localPort;
    if (!NAMES.some((name) => host === `${name}:${port}` || (port === 80 && host === name))) {
      return refuse(
        reply,
        403,
        `host: expected 127.0.0.1:${port} or localhost:${port}, received '${host.slice(0, 100)}'`,
      );
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return refuse(reply.header('allow', 'GET, HEAD'), 405, `expected GET, received ${request.method}`);
    }
    return undefined;
  });
}

/** The rest of a body is not waited for. */
function refuse(reply: FastifyReply, status: number, error: string): FastifyReply {
  return reply.code(status).header('connection', 'close').send({ error });
}
