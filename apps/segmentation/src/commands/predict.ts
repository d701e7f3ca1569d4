import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { classesOf, encodeLabels, prepareEvaluation } from '@pyramidal/ade20k';
import { drawAttention, type PredictCommand } from '@pyramidal/task';
import { loadConfig } from '@pyramidal/config';
import { decodeImage, encodeImage } from '@pyramidal/images';
import { openRuntime } from '@pyramidal/runtime';
import { loadWeightsFile } from '@pyramidal/training';
import { codingOf, evaluationTransform, segmentorPredictor } from '../assemble';
import type { SegmentationDefinition } from '../definition';
import { drawMap, frequentClasses } from '../draw-map';
import { segmentImage } from '../segment-image';

/** Segments each image; writes its label PNG and the picture under its classes' colours, and `predictions.json`. */
export async function predict(
  { schema, assemble }: SegmentationDefinition,
  { config: file, set, weights, images, out, attention }: PredictCommand,
): Promise<number> {
  const { config } = loadConfig(schema, file, { set });
  const classes = await classesOf(config.data.root, config.data.classList);
  await openRuntime(config.runtime);
  const segmentor = assemble(config, classes.length);
  loadWeightsFile(weights, segmentor, { ema: config.evaluation.ema });
  mkdirSync(out, { recursive: true });

  const network = segmentorPredictor(segmentor, config);
  const predictions = [];
  try {
    for (const [index, image] of images.entries()) {
      const sample = await prepareEvaluation(image, evaluationTransform(config));
      const data = await segmentImage(network, sample, config);
      const name = `${String(index).padStart(4, '0')}-${basename(image, extname(image))}`;
      const label = await encodeLabels({ data, ...sample.original }, codingOf(config, classes.length));
      writeFileSync(join(out, `${name}.png`), label);
      writeFileSync(
        join(out, `${name}.jpg`),
        await encodeImage(await drawMap(await decodeImage(image), data, classes), 'jpeg'),
      );
      if (attention) await drawAttention(segmentor.backbone, sample.scaled[0]!, join(out, name));
      const found = frequentClasses(data).map((k) => ({ name: classes[k]!.name, share: shareOf(data, k) }));
      predictions.push({ image, label: `${name}.png`, classes: found });
      console.log(
        `${image}: ${found
          .slice(0, 3)
          .map((of) => `${of.name} ${(100 * of.share).toFixed(1)} %`)
          .join(', ')}`,
      );
    }
  } finally {
    network.dispose();
    segmentor.dispose();
  }
  writeFileSync(join(out, 'predictions.json'), `${JSON.stringify(predictions, null, 2)}\n`);
  console.log(`results in ${out}`);
  return 0;
}

function shareOf(map: Uint8Array, label: number): number {
  return map.reduce((count, value) => count + (value === label ? 1 : 0), 0) / map.length;
}
