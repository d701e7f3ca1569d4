/** Frees the pixels of large pictures as soon as nobody holds them. */
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/**
 * Pixels lie outside of JavaScript's heap. Its collector looks for what it may free there only when it has grown by another 64 MB, which is
 * after the next large picture was decoded. What it finds is freed in the next turn of the event loop.
 */
export async function collectGarbage(): Promise<void> {
  await setImmediate(); // those who were just told that they may go on do so, and let go of what they held
  collect ??= exposed();
  collect();
  await setImmediate();
}

function exposed(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
