/** Which backbone weights belong to, by their names and shapes alone. */
import { compareWeights, splitModel, type StoredTensor } from '@pyramidal/checkpoints/portable';
import type { Backbone } from '@pyramidal/nn';
import type { VariantName } from './catalogue';
import * as FAMILIES from './families';
import type { BackboneFamily } from './family';
import { type BackboneSizes, mlpRatioOf, type Stages } from './stages';

type Weights = ReadonlyMap<string, StoredTensor>;
type BlockSizes = Pick<BackboneSizes, 'channels' | 'depths' | 'mlpRatios'>;

/** What weights are found to be. */
export interface Identified {
  readonly variant: VariantName;
  /** The sizes of the weights where they differ from the published ones of that name. */
  readonly sizes: BlockSizes | undefined;
}

/**
 * Finds the backbone that weights belong to, published or of other widths and depths: the backbone of a classifier, a
 * detector or a segmentor. No value is read.
 * @returns undefined where no backbone of this package fits.
 */
export function identifyBackbone(weights: Weights): Identified | undefined {
  const backbone = splitModel(weights).parts.get('backbone');
  if (backbone === undefined) return undefined;
  for (const { variants, blockWeights, create } of Object.values<BackboneFamily>(FAMILIES)) {
    const sizes = blockWeights && blockSizes(backbone, blockWeights);
    if (blockWeights !== undefined && sizes === undefined) continue; // no blocks of this family
    const published = Object.entries(variants);
    const same = published.find(([, options]) => {
      return (sizes === undefined || isSame(sizes, options)) && fits(() => create(options), weights);
    });
    if (same !== undefined) return { variant: same[0] as VariantName, sizes: undefined };
    const other = sizes && published.find(([, options]) => fits(() => create({ ...options, ...sizes }), weights));
    if (other !== undefined) return { variant: other[0] as VariantName, sizes };
  }
  return undefined;
}

function fits(create: () => Backbone, weights: Weights): boolean {
  let backbone: Backbone;
  try {
    backbone = create();
  } catch {
    return false; // sizes that this family cannot have
  }
  const { missing, unexpected, misshaped } = compareWeights(backbone, weights);
  backbone.dispose();
  return missing.length + unexpected.length + misshaped.length === 0;
}

const isSame = (found: BlockSizes, published: BlockSizes): boolean =>
  (['channels', 'depths', 'mlpRatios'] as const).every((key) => `${found[key]}` === `${published[key]}`);

interface Stage {
  readonly blocks: number;
  readonly channels: number;
  readonly hidden: number;
}

/** The sizes that the first MLP layers of all blocks, [hidden, channels], tell. */
function blockSizes(weights: Weights, blockWeights: RegExp): BlockSizes | undefined {
  const stages = new Map<number, Stage>();
  for (const [name, { shape }] of weights) {
    const match = blockWeights.exec(name);
    if (!match) continue;
    const [hidden = 0, channels = 0] = shape;
    const stage = Number(match[1]);
    const blocks = Math.max(stages.get(stage)?.blocks ?? 0, Number(match[2]) + 1);
    stages.set(stage, { blocks, channels, hidden });
  }
  const [first, second, third, fourth] = [...stages].sort(([a], [b]) => a - b).map(([, stage]) => stage);
  if (!first || !second || !third || !fourth || stages.size > 4) return undefined;
  const each = (of: (stage: Stage) => number): Stages => [of(first), of(second), of(third), of(fourth)];
  return {
    channels: each(({ channels }) => channels),
    depths: each(({ blocks }) => blocks),
    mlpRatios: each(({ hidden, channels }) => mlpRatioOf(channels, hidden)),
  };
}
