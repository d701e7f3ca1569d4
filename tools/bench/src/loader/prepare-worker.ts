import { type Seed, serveTasks } from '@pyramidal/images';
import { prepareForDetection } from './prepare';

serveTasks(async ({ file, seed }: { file: string; seed: Seed }) => {
  const result = await prepareForDetection(file, seed);
  return { result, transfer: [result.buffer as ArrayBuffer] };
});
