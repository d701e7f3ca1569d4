/** A service as a program: it listens until it is told to stop. */
import { type ExitCode, reportError } from '@pyramidal/program';
import type { ServedModel } from './served-model';
import { openService, type ServiceOptions } from './service';

/** Serves a model until Ctrl-C or SIGTERM, then answers what it has taken. A second signal ends it at once. */
export async function serveUntilStopped(model: ServedModel, options: ServiceOptions): Promise<ExitCode> {
  const stopped = stopSignal();
  const onError = (error: unknown): void => void reportError(error, process.argv);
  const service = await openService(model, { onError, ...options });
  console.error(`listening on ${service.address}; POST an image to /predict, or open it in a browser`);
  await stopped;
  console.error('stopping: answering what was taken; press Ctrl-C again to quit at once');
  await service.close();
  return 0;
}

/** When Ctrl-C or SIGTERM asks for the end; a second signal ends the process at once. */
export function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let isStopping = false;
    const stop = (code: number): void => {
      if (isStopping) process.exit(code);
      isStopping = true;
      resolve();
    };
    process.on('SIGINT', () => stop(130)).on('SIGTERM', () => stop(143));
  });
}
