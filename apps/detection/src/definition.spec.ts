import { join } from 'node:path';
import type { DetectorDefinition } from '@pyramidal/detector';
import { loadConfig, UsageError, z } from '@pyramidal/config';
import { retinaNet } from '@pyramidal/retinanet';
import { describeOwnBackbones } from '@pyramidal/task-testing';
import { detectionDefinition } from './definition';

const SAMPLE = join(__dirname, '../../../configs/detection/sample.yaml');

describeOwnBackbones((backbones) => detectionDefinition({ backbones }), SAMPLE);

it('names a detector of its own beside ours, with settings of its own', () => {
  const schema = z.strictObject({ hidden: z.int().min(1).default(8) });
  const seen: number[] = [];
  const mine: DetectorDefinition<typeof schema> = {
    predictsMasks: false,
    schema,
    create(settings, parts) {
      seen.push(settings.hidden, parts.classes);
      return retinaNet.create(retinaNet.schema.parse({ hidden: settings.hidden }), parts);
    },
  };
  const definition = detectionDefinition({ detectors: { mine } });
  const read = (set: string) => loadConfig(definition.schema, SAMPLE, { set: [set] }).config;
  definition.assemble(read('model.detector={ name: mine, hidden: 4 }'), 3);
  expect(seen).toEqual([4, 3]);
  expect(() => read('model.detector={ name: mine, hiden: 4 }')).toThrow(/hiden/);
  expect(() => read('model.detector={ name: yours }')).toThrow(/dino, mine/);
  expect(() => detectionDefinition({ detectors: { retinanet: mine } })).toThrow(
    "detectors: expected every name once, received 'retinanet' twice",
  );
});

it.each(['dino', 'deformable-detr'])('refuses a width of the neck that %s is not made with, in one line', (name) => {
  const definition = detectionDefinition();
  const set = [`model.detector={ name: ${name} }`, 'model.neck.channels=16'];
  const { config } = loadConfig(definition.schema, SAMPLE, { set });
  expect(() => definition.assemble(config, 3)).toThrow(UsageError);
  expect(() => definition.assemble(config, 3)).toThrow(/^model: GroupNorm: expected channels in 32 groups/);
});
