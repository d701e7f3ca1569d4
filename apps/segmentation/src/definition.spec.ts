import { join } from 'node:path';
import { type BackboneFamily, type BackboneSizes, pyramidLevels } from '@pyramidal/backbones';
import { loadConfig, z } from '@pyramidal/config';
import type { SegmentorDefinition } from '@pyramidal/upernet';
import { Backbone, Conv2d, type Pyramid } from '@pyramidal/nn';
import { segmentationDefinition } from './definition';
import { HEADS } from './heads';

const SAMPLE = join(__dirname, '../../../configs/segmentation/sample.yaml');

/** A backbone of a project's own. */
class PlainNet extends Backbone {
  readonly levels;
  readonly conv = new Conv2d(3, 8, 3, { stride: 4 });

  constructor({ channels }: BackboneSizes) {
    super();
    this.levels = pyramidLevels(channels);
  }

  forward(): Pyramid {
    throw new Error('only its name and its levels are asked for');
  }

  protected stageOf(): number {
    return 0;
  }

  attentionMultiplyAdds(): number {
    return 0;
  }
}

const plainNet = {
  variants: { plain_tiny: { channels: [8, 16, 24, 32] } },
  create: (sizes) => new PlainNet(sizes),
} as const satisfies BackboneFamily;

const load = (name: string, definition = segmentationDefinition({ backbones: [plainNet] })) =>
  loadConfig(definition.schema, SAMPLE, { set: [`model.backbone={ name: ${name} }`] }).config;

it('names a backbone of its own beside ours, and builds the network on it', () => {
  const { assemble } = segmentationDefinition({ backbones: [plainNet] });
  expect(assemble(load('plain_tiny'), 3).backbone).toBeInstanceOf(PlainNet);
  expect(load('smt_tiny').model.backbone.name).toBe('smt_tiny');
  expect(() => load('plain_tiny', segmentationDefinition())).toThrow(
    /expected one of coat_tiny, .*, received 'plain_tiny'/,
  );
  expect(() => load('plain_tin')).toThrow(/, plain_tiny, received 'plain_tin', did you mean 'plain_tiny'\?/);
});

it('refuses two backbones of one name, and changes of what a backbone does not list', () => {
  const again = { ...plainNet, variants: { smt_tiny: { channels: [8, 16, 24, 32] } } } as const;
  expect(() => segmentationDefinition({ backbones: [again] })).toThrow(
    "backbones: expected every name once, received 'smt_tiny' twice",
  );
  const { schema, assemble } = segmentationDefinition({ backbones: [plainNet] });
  const set = ['model.backbone={ name: plain_tiny, depths: [1, 1, 1, 1] }'];
  expect(() => assemble(loadConfig(schema, SAMPLE, { set }).config, 3)).toThrow(
    'plain_tiny: expected changes of channels, received depths',
  );
});

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
