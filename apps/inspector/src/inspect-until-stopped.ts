/** The inspector as a program: it serves until it is told to stop. */
import { type ExitCode, reportError } from '@pyramidal/program';
import { stopSignal } from '@pyramidal/serving';
import type { Inspected } from './inspected';
import { openInspector, type InspectorOptions } from './server/open-inspector';

/** Serves until Ctrl-C or SIGTERM. */
export async function inspectUntilStopped(inspected: Inspected, options: InspectorOptions): Promise<ExitCode> {
  const stopped = stopSignal();
  const onError = (error: unknown): void => void reportError(error, process.argv);
  const inspector = await openInspector(inspected, { onError, ...options });
  console.error(`open ${inspector.address} in a browser; press Ctrl-C to stop`);
  await stopped;
  await inspector.close();
  return 0;
}
