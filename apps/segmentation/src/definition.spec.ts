import { join } from 'node:path';
import { loadConfig, z } from '@pyramidal/config';
import { describeOwnBackbones } from '@pyramidal/task-testing';
import type { SegmentorDefinition } from '@pyramidal/upernet';
import { segmentationDefinition } from './definition';
import { HEADS } from './heads';

const SAMPLE = join(__dirname, '../../../configs/segmentation/sample.yaml');

describeOwnBackbones((backbones) => segmentationDefinition({ backbones }), SAMPLE);

it('names a head of its own beside ours, with settings of its own', () => {
  const schema = z.strictObject({ width: z.int().min(1).default(8) });
  const seen: number[] = [];
  const mine: SegmentorDefinition<typeof schema> = {
    schema,
    create({ width }, parts) {
      seen.push(width, parts.classes);
      return HEADS.upernet.create({ channels: width, auxiliaryChannels: 0 }, parts);
    },
  };
  const definition = segmentationDefinition({ heads: { mine } });
  const read = (set: string) => loadConfig(definition.schema, SAMPLE, { set: [set] }).config;
  definition.assemble(read('model.head={ name: mine, width: 4 }'), 3);
  expect(seen).toEqual([4, 3]);
  expect(() => read('model.head={ name: mine, widht: 4 }')).toThrow(/widht/);
  expect(() => read('model.head={ name: yours }')).toThrow(/semantic-fpn, mine/);
  expect(() => segmentationDefinition({ heads: { upernet: mine } })).toThrow(
    "heads: expected every name once, received 'upernet' twice",
  );
});
