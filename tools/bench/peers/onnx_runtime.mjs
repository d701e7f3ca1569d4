/**
 * Runs the model of a folder in ONNX Runtime and prints, as JSON, how far each output is from what the folder says:
 * `onnx_runtime.mjs PACKAGE FOLDER`, the package being onnxruntime-web or onnxruntime-node.
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
const differences = Object.entries(found).map(([output, { shape, values }]) => {
  const { dims, data } = outputs[output];
  if (String(dims) !== String(shape)) throw new Error(`${output}: expected [${shape}], received [${dims}]`);
  let [largest, scale, unequal] = [0, PROBABILITIES.includes(output) ? 1 : 0, 0];
  values.forEach((value, i) => {
    const difference = Math.abs(Number(data[i]) - value);
    largest = Math.max(largest, difference);
    scale = Math.max(scale, Math.abs(value));
    if (difference > 0) unequal++;
  });
  return [
    output,
    output === 'labels' ? { unequal, of: values.length } : { relative: largest / scale, of: values.length },
  ];
});
console.log(JSON.stringify(Object.fromEntries(differences)));
process.exit(0); // the runtimes' threads would hold it up
