import { type Seed, serveTasks } from '@pyramidal/images';
import { type ImageTransform, prepareImage } from './transform';

export interface PrepareTask {
  readonly file: string;
  readonly transform: ImageTransform;
  readonly seed: Seed;
}

serveTasks<PrepareTask, Float32Array>(async ({ file, transform, seed }) => {
  const result = await prepareImage(file, transform, seed);
  return { result, transfer: [result.buffer as ArrayBuffer] };
});
