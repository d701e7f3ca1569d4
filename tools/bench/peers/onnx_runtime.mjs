/**
 * Runs the model of a folder in ONNX Runtime and prints, as JSON, how far each output is from what the folder says:
 * `onnx_runtime.mjs PACKAGE FOLDER`, the package being onnxruntime-web or onnxruntime-node. Objects are compared with those nearest to
 * them: where scores differ by less than rounding, another runtime may put them in another order.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Outputs whose differences are told as they are. */
const PROBABILITIES = ['scores', 'masks'];

const [name, folder] = process.argv.slice(2);
const resolved = createRequire(join(process.cwd(), 'package.json')).resolve(name);
const { env, InferenceSession, Tensor } = await import(pathToFileURL(resolved));
env.logLevel = 'error';
if (name === 'onnxruntime-web') env.wasm.numThreads = 1;
const { image, found } = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8'));
const session = await InferenceSession.create(readFileSync(join(folder, 'model.onnx')));
const outputs = await session.run({ image: new Tensor('float32', Float32Array.from(image.values), image.shape) });
const rows = 'boxes' in found ? pairObjects() : undefined;
const differences = Object.entries(found).map(([output, { shape, values }]) => {
  const { dims, data } = outputs[output];
  if (String(dims) !== String(shape)) throw new Error(`${output}: expected [${shape}], received [${dims}]`);
  const perRow = values.length / shape[0];
  const placeOf = (i) => (rows === undefined ? i : rows[Math.floor(i / perRow)] * perRow + (i % perRow));
  let [largest, scale, unequal] = [0, PROBABILITIES.includes(output) ? 1 : 0, 0];
  values.forEach((value, i) => {
    const difference = Math.abs(Number(data[placeOf(i)]) - value);
    largest = Math.max(largest, difference);
    scale = Math.max(scale, Math.abs(value));
    if (difference > 0) unequal++;
  });
  return [
    output,
    output === 'labels' ? { unequal, of: values.length } : { relative: largest / scale, of: values.length },
  ];
});
if (rows !== undefined) {
  const moved = rows.filter((row, i) => row !== i).length;
  differences.push(['order', { unequal: moved, of: rows.length }]);
}
console.log(JSON.stringify(Object.fromEntries(differences)));
process.exit(0); // the runtimes' threads would hold it up

/** For each object of ours the row of the runtime's that is nearest in box, score and label, each taken once. */
function pairObjects() {
  const { boxes, scores, labels } = found;
  const size = Math.max(...boxes.values.map(Math.abs));
  const free = new Set(scores.values.keys());
  return scores.values.map((score, i) => {
    const distanceTo = (j) => {
      const apart = [0, 1, 2, 3].map((k) => Math.abs(outputs.boxes.data[4 * j + k] - boxes.values[4 * i + k]) / size);
      const isOther = Number(outputs.labels.data[j]) !== labels.values[i];
      return Math.max(...apart) + Math.abs(outputs.scores.data[j] - score) + (isOther ? 1 : 0);
    };
    const nearest = [...free].reduce((best, j) => (distanceTo(j) < distanceTo(best) ? j : best));
    free.delete(nearest);
    return nearest;
  });
}
