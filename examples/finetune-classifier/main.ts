/** Fine-tunes the last two stages of a classifier on folders of pictures: `npm start data/flowers -- --weights FILE`. */
import { parseArgs } from 'node:util';
import { createClassifier } from '@pyramidal/backbones';
import { type ImageBatch, openImageBatches, openImageFolder, requireSplit } from '@pyramidal/imagenet';
import { IMAGENET_NORMALISATION as normalisation } from '@pyramidal/images';
import { type Classifier, crossEntropy, ForwardPass, inferencePass } from '@pyramidal/nn';
import { runProgram } from '@pyramidal/program';
import { openRuntime } from '@pyramidal/runtime';
import { adamW, createSchedule, openRunFolder, startFromFile, train, trainStep } from '@pyramidal/training';
import * as tf from '@tensorflow/tfjs-core';

const SIZE = 64;
const SEED = 0;
const BATCH_SIZE = 8;

type Batch = { images: tf.Tensor4D; targets: tf.Tensor2D };

const OPTIONS = {
  weights: { type: 'string' },
  out: { type: 'string', default: 'runs/flowers' },
  epochs: { type: 'string', default: '10' },
} as const;

runProgram('finetune-classifier', async (args) => {
  const { positionals, values } = parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS });
  const { weights, out, epochs } = values;
  const [root = 'data/flowers'] = positionals;
  await openRuntime();
  const folder = await openImageFolder(root); // root/train/<class>/*.jpg, root/val/<class>/*.jpg
  const classifier = createClassifier('groupmixformer_miny', folder.classes.length);
  classifier.initialize(SEED);
  if (weights !== undefined) startFromFile(weights, classifier); // a head for other classes is drawn anew
  classifier.backbone.freezeThrough('C3');

  const reading = { classes: folder.classes.length, batchSize: BATCH_SIZE, seed: SEED, workers: 2 };
  const training = openImageBatches({
    ...reading,
    samples: requireSplit(folder, 'train').samples,
    transform: { kind: 'training', size: SIZE, scale: [0.5, 1], flip: 0.5, normalisation },
    shuffle: true,
    lastBatch: 'drop',
  });
  const validation = openImageBatches({
    ...reading,
    samples: requireSplit(folder, 'val').samples,
    transform: { kind: 'validation', size: SIZE, cropPct: 1, normalisation },
    shuffle: false,
  });

  const loss = ({ images, targets }: Batch, seed: tf.Tensor1D) => ({
    loss: crossEntropy(classifier.forward(images, new ForwardPass({ mode: 'train', seed })), targets),
  });
  const optimizer = adamW(classifier.parameters(), { weightDecay: 0.05 });
  const length = { epochs: Number(epochs) };
  const { batchesPerEpoch } = training;
  const run = openRunFolder({ folder: out, resume: false, config: `root: ${root}\n` });
  const { exitCode, metrics } = await train({
    folder: run,
    step: trainStep<Batch>({ module: classifier, loss, optimizer }),
    data: { batchesPerEpoch, batchSize: BATCH_SIZE, epoch: (epoch, batch) => batchesOf(training, epoch, batch) },
    schedule: createSchedule({ name: 'cosine' }, { lr: 1e-3, length, updatesPerEpoch: batchesPerEpoch }),
    evaluation: { every: 5, run: () => accuracy(classifier, validation.batches()), best: { metric: 'top1' } },
    length,
    seed: SEED,
  });
  console.log(metrics); // best.safetensors is in the run's folder
  run.close();
  await Promise.all([training.close(), validation.close()]);
  return exitCode;
});

async function* batchesOf(source: ReturnType<typeof openImageBatches>, epoch: number, batch: number) {
  for await (const { images, targets } of source.batches({ epoch, batch, untilEpoch: epoch + 1 }))
    yield { images, targets };
}

/** The share of pictures whose class has the largest logit. */
async function accuracy(classifier: Classifier, batches: AsyncIterable<ImageBatch>): Promise<{ top1: number }> {
  let [right, all] = [0, 0];
  for await (const { images, targets } of batches) {
    const hits = tf.tidy(() => {
      const logits = classifier.forward(images, inferencePass());
      return tf.sum(tf.equal(tf.argMax(logits, 1), tf.argMax(targets, 1)));
    });
    right += (await hits.data())[0]!;
    all += images.shape[0];
    tf.dispose([hits, images, targets]);
  }
  return { top1: right / all };
}
