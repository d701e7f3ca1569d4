/** The memory of what threads answer: it moves to the main thread, and is freed there as soon as it was used. */
import { MessageChannel, type MessagePort } from 'node:worker_threads';

/** Buffers of the typed arrays in a result that fill them. A part of a larger buffer, as small Buffers are, leaves it to others. */
export function buffersOf(result: unknown): ArrayBuffer[] {
  const values = ArrayBuffer.isView(result) ? [result] : Object.values(result ?? {});
  const views = values.filter((value): value is ArrayBufferView => ArrayBuffer.isView(value));
  const whole = views.filter(({ buffer, byteLength }) => buffer.byteLength === byteLength);
  return [...new Set(whole.map(({ buffer }) => buffer as ArrayBuffer))];
}

/** What is moved there is gone: the other end is closed. */
let nowhere: MessagePort | undefined;

/**
 * Frees the memory of the typed arrays in results, which are empty then. Left to the garbage collector, a few dozen pictures have it go through
 * all of the heap, which took half of the processor time of reading them.
 */
export function freeResults(results: readonly unknown[]): void {
  if (nowhere === undefined) {
    const { port1, port2 } = new MessageChannel();
    port2.close();
    nowhere = port1;
  }
  nowhere.postMessage(null, results.flatMap(buffersOf));
}
