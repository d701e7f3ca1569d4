import * as tf from '@tensorflow/tfjs-core';
import { createClassifier } from '@pyramidal/backbones';
import { crossEntropy, ForwardPass } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { adamW, sgd, trainStep } from '@pyramidal/training';
async function main() {
  let t = performance.now(); const lap = (s: string) => { const n = performance.now(); console.log(s, (n - t).toFixed(0)); t = n; };
  const rt = await openRuntime(); lap('open ' + rt.engine);
  const module = createClassifier('groupmixformer_miny', 1000, { dropPath: 0 }); module.initialize(0); lap('init');
  const step = trainStep({ module, loss: (b, seed) => ({ loss: crossEntropy(module.forward(b['images'] as tf.Tensor4D, new ForwardPass({ mode: 'train', seed })), b['labels'] as tf.Tensor1D, { labelSmoothing: 0.1 }) }), ...(process.argv[3] === 'sgd' ? { optimizer: sgd(module.parameters()) } : { optimizer: adamW(module.parameters()), clipGradNorm: 5, emaDecay: 0.9 }), compile: process.argv[2] !== 'eager' }); lap('step');
  for (let i = 0; i < 8; i++) { const b = { images: tf.ones([4, 64, 96, 3]), labels: tf.tensor1d([1, 2, 3, 4], 'int32') }; const v = step.run([b], { update: i, lr: 1e-3, seed: 0 }); v['loss']!.dataSync(); lap('run ' + i); tf.dispose([b, v]); }
  console.log(step.explain().map((r) => [r.nodes, r.recordMs, r.loadMs]));
}
main();
