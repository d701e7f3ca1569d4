/** A checkpoint and a photograph, in a folder where nothing else of the training is. */
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { run } from './shell';

/** What finds objects, as a reader of the package's page would write it. */
const FIND = `import { cocoResults, openDetector } from '@pyramidal/detection';

const [photo, id] = process.argv.slice(2);
const detector = await openDetector('best.safetensors');
const [{ objects }] = await detector.detect([photo]);
await detector.close();
console.log(JSON.stringify(cocoResults(objects, Number(id))));
`;

/** What tells a found object from another one. */
interface Found {
  readonly category: number;
  readonly score: number;
  /** x1, y1, x2, y2. */
  readonly box: readonly number[];
}

interface CocoRecord {
  readonly image_id: number;
  readonly category_id: number;
  readonly score: number;
  readonly bbox: readonly [number, number, number, number];
}

interface Paths {
  readonly workspace: string;
  /** The data set, which is deleted. */
  readonly data: string;
  /** Of the app, with `train/best.safetensors` and the results of `eval`. */
  readonly runs: string;
}

/**
 * Deletes the data set and finds objects in a photograph of it by the checkpoint alone, as a library and as a command.
 * @throws Error unless both find what `eval` wrote.
 */
export function useOneFile({ workspace, data, runs }: Paths): void {
  const folder = join(workspace, 'one-file');
  mkdirSync(folder);
  const read = <T>(file: string): T => JSON.parse(readFileSync(file, 'utf8')) as T;
  const { images } = read<{ images: { id: number; file_name: string }[] }>(
    join(data, 'annotations/instances_val.json'),
  );
  const records = read<CocoRecord[]>(join(runs, 'eval/bbox.json'));
  const image = images.find(({ id }) => records.some(({ image_id }) => image_id === id));
  if (image === undefined) throw new Error('eval found no objects at all');
  const evaluated = records.filter(({ image_id }) => image_id === image.id).map(foundOfRecord);
  const photo = basename(image.file_name);
  copyFileSync(join(data, 'val', image.file_name), join(folder, photo));
  copyFileSync(join(runs, 'train/best.safetensors'), join(folder, 'best.safetensors'));
  rmSync(data, { recursive: true });

  writeFileSync(join(folder, 'find.mjs'), FIND);
  const opened = JSON.parse(run(folder, process.execPath, 'find.mjs', photo, String(image.id))) as CocoRecord[];
  requireSame('openDetector', opened.map(foundOfRecord), evaluated);
  const program = '../node_modules/@pyramidal/detection/dist/main.js';
  run(folder, process.execPath, program, 'predict', photo, '--weights', 'best.safetensors', '--out', 'found');
  const [predicted] = read<{ detections: { categoryId: number; score: number; box: number[] }[] }[]>(
    join(folder, 'found/predictions.json'),
  );
  const told = predicted!.detections.map(({ categoryId, score, box }) => ({ category: categoryId, score, box }));
  requireSame('predict', told, evaluated);
}

function foundOfRecord({ category_id, score, bbox: [x, y, width, height] }: CocoRecord): Found {
  return { category: category_id, score, box: [x, y, x + width, y + height] };
}

/** @throws Error unless both have the same objects, to 1e-4 of a score and a hundredth of a pixel. */
function requireSame(name: string, found: readonly Found[], expected: readonly Found[]): void {
  const isSame = ({ category, score, box }: Found, other: Found): boolean =>
    category === other.category &&
    Math.abs(score - other.score) < 1e-4 &&
    box.every((side, i) => Math.abs(side - other.box[i]!) < 0.01);
  if (found.length === expected.length && found.every((object, i) => isSame(object, expected[i]!))) return;
  throw new Error(`${name}: expected ${JSON.stringify(expected)} as eval wrote it, received ${JSON.stringify(found)}`);
}
