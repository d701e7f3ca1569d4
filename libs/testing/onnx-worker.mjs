/** Runs ONNX models, one after the other: in a thread of its own, since ONNX Runtime imports its WebAssembly, which Jest does not let it. */
import { readFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { env, InferenceSession, Tensor } from 'onnxruntime-web';

env.wasm.numThreads = 1;
env.logLevel = 'error';

parentPort.on('message', async ({ file, inputs }) => {
  const session = await InferenceSession.create(readFileSync(file));
  const feeds = inputs.map(({ name, type, values, shape }) => [name, new Tensor(type, values, shape)]);
  const results = await session.run(Object.fromEntries(feeds));
  const outputs = Object.entries(results).map(([name, { dims, data }]) => [name, { shape: [...dims], values: data }]);
  parentPort.postMessage(Object.fromEntries(outputs));
  await session.release();
});
