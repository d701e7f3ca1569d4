/** A detector behind HTTP: `npm start best.safetensors 8080`, then `curl --data-binary @photo.jpg localhost:8080`. */
import { createServer, type IncomingMessage } from 'node:http';
import { UsageError } from '@pyramidal/config';
import { BrokenImageError, openDetector } from '@pyramidal/detection';
import { runProgram } from '@pyramidal/program';

const LARGEST_BODY = 32 << 20; // bytes

runProgram('detect-server', async ([weights, port = '8080']) => {
  if (weights === undefined) throw new UsageError('usage: npm start WEIGHTS [PORT]');
  const detector = await openDetector(weights);
  const server = createServer((request, response) => {
    const reply = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
    bodyOf(request)
      .then((picture) => detector.detect([picture]))
      .then(([found]) =>
        reply(
          200,
          found.objects.map(({ name, score, box }) => ({ name, score, box })),
        ),
      )
      .catch((error: Error) => reply(error instanceof BrokenImageError ? 400 : 500, { error: error.message }));
  });
  server.listen(Number(port), () => console.log(`listening on port ${port}`));
  await new Promise((stop) => process.once('SIGINT', stop).once('SIGTERM', stop));
  await new Promise((closed) => server.close(closed)); // open requests are answered first
  await detector.close();
  return 0;
});

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > LARGEST_BODY) throw new BrokenImageError('request', `more than ${LARGEST_BODY} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
