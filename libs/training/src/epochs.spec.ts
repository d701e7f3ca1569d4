import * as tf from '@tensorflow/tfjs-core';
import { openRuntime } from '@pyramidal/runtime';
import { Epochs } from './epochs';

beforeAll(() => openRuntime({ engine: 'cpu' }));

/** Two batches an epoch that say where they stand; what was begun and left is noted. */
function source({ breaks = -1 } = {}) {
  const notes: string[] = [];
  async function* epoch(number: number, firstBatch: number): AsyncGenerator<tf.NamedTensorMap> {
    notes.push(`begin ${number}`);
    try {
      for (let batch = firstBatch; batch < 2; batch++) {
        if (number === breaks) throw new Error('a broken image');
        yield { place: tf.scalar(2 * number + batch) };
      }
    } finally {
      notes.push(`end ${number}`);
    }
  }
  return { notes, epoch };
}

async function placesOf(batches: AsyncIterator<tf.NamedTensorMap>): Promise<number[]> {
  const places: number[] = [];
  for (let next = await batches.next(); !next.done; next = await batches.next()) {
    places.push(next.value['place']!.dataSync()[0]!);
    tf.dispose(next.value);
  }
  return places;
}

describe('Epochs', () => {
  let before: number;
  beforeEach(() => (before = tf.memory().numTensors));
  afterEach(() => expect(tf.memory().numTensors).toBe(before));

  it('gives every batch once, and begins an epoch before it is opened', async () => {
    const { notes, epoch } = source();
    const epochs = new Epochs({ epoch });
    const first = epochs.open(0, 1);
    expect(await placesOf(first)).toEqual([1]);
    epochs.readAhead(1);
    expect(notes).toEqual(['begin 0', 'end 0', 'begin 1']);
    await first.return();
    expect(await placesOf(epochs.open(1, 0))).toEqual([2, 3]);
    expect(notes).toEqual(['begin 0', 'end 0', 'begin 1', 'end 1']);
  });

  it('reads anew from any other place than the one it read ahead for', async () => {
    const epochs = new Epochs(source());
    epochs.readAhead(1);
    expect(await placesOf(epochs.open(1, 1))).toEqual([3]);
    expect(await placesOf(epochs.open(1, 0))).toEqual([2, 3]);
  });

  it('lets go of what nobody takes', async () => {
    const { notes, epoch } = source();
    const epochs = new Epochs({ epoch });
    epochs.readAhead(1);
    await epochs.open(1, 0).return();
    epochs.readAhead(2);
    await epochs.close();
    expect(notes).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2']);
  });

  it('tells what is wrong with an epoch to who takes its batches, and to nobody else', async () => {
    const epochs = new Epochs(source({ breaks: 1 }));
    epochs.readAhead(1);
    await new Promise((resolve) => setImmediate(resolve));
    await expect(epochs.open(1, 0).next()).rejects.toThrow('a broken image');
    epochs.readAhead(1);
    await epochs.close();
  });
});
