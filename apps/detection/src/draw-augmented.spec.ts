/** Augmented training images as people are shown them. */
import { restoreImage, IMAGENET_NORMALISATION } from '@pyramidal/images';
import type { PreparedDetection } from '@pyramidal/coco';
import { drawPrepared } from './draw-augmented';

const [width, height, side] = [40, 30, 4];

/** A grey image with one object, whose mask is the left half of its region. */
const prepared: PreparedDetection = {
  ...{ id: 7, width, height, scale: [1, 1] },
  pixels: new Float32Array(width * height * 3),
  boxes: Float32Array.of(10, 20, 30, 28),
  labels: Int32Array.of(0),
  masks: Uint8Array.from({ length: side * side }, (_, i) => Number(i % side < 2)),
  regions: Float32Array.of(10, 20, 30, 28),
  hasMask: Int32Array.of(1),
  ignored: Float32Array.of(32, 2, 38, 8),
};

const changed = async (changes: Partial<PreparedDetection>): Promise<(x: number, y: number) => boolean> => {
  const drawn = await drawPrepared({ ...prepared, ...changes }, [{ name: '' }]);
  const plain = restoreImage(prepared.pixels, prepared, IMAGENET_NORMALISATION);
  return (x, y) => [0, 1, 2].some((c) => drawn.data[(y * width + x) * 3 + c] !== plain.data[(y * width + x) * 3 + c]);
};

it('draws masks, boxes and what is ignored where they are', async () => {
  const isDrawn = await changed({});
  expect([isDrawn(15, 24), isDrawn(25, 24), isDrawn(5, 24)]).toEqual([true, false, false]);
  expect([isDrawn(10, 24), isDrawn(30, 24) || isDrawn(29, 24), isDrawn(32, 5)]).toEqual([true, true, true]);
});

it('draws boxes alone where there are no masks', async () => {
  const isDrawn = await changed({ hasMask: Int32Array.of(0), ignored: new Float32Array(0) });
  expect([isDrawn(15, 24), isDrawn(10, 24), isDrawn(35, 2)]).toEqual([false, true, false]);
});
