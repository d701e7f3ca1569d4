/** Which backbone weights belong to, by their names and shapes alone. */
import { compareWeights, splitModel, type StoredTensor } from '@pyramidal/checkpoints/portable';
import type { Backbone } from '@pyramidal/nn';
import type { BackboneFamily } from './family';
import { type BackboneSizes, mlpRatioOf, type Stages } from './stages';

type Weights = ReadonlyMap<string, StoredTensor>;
type BlockSizes = Pick<BackboneSizes, 'channels' | 'depths' | 'mlpRatios'>;

/** What weights are found to be. */
export interface Identified<Name extends string = string> {
  readonly variant: Name;
  /** What differs from the published size of that name; nothing where it is that size. */
  readonly sizes: BlockSizes | undefined;
}

/**
 * Finds the backbone that weights belong to, published or of other widths and depths: the backbone of a classifier, a
 * detector or a segmentor. No value is read.
 * @param families by the name of each of their sizes.
 * @returns undefined where no size of any family fits.
 */
export function identify(weights: Weights, families: ReadonlyMap<string, BackboneFamily>): Identified | undefined {
  const backbone = splitModel(weights).parts.get('backbone');
  if (backbone === undefined) return undefined;
  const others: Identified[] = [];
  for (const [variant, { variants, blockWeights, create }] of families) {
    const published = variants[variant]!;
    const sizes = blockWeights && blockSizes(backbone, blockWeights);
    // A family that tells its blocks by their weights is asked only for weights that have its blocks.
    if (blockWeights !== undefined && sizes === undefined) continue;
    if ((sizes === undefined || isSame(sizes, published)) && fits(() => create(published), weights)) {
      return { variant, sizes: undefined };
    }
    if (sizes !== undefined) others.push({ variant, sizes });
  }
  return others.find(({ variant, sizes }) => {
    const { variants, create } = families.get(variant)!;
    return fits(() => create({ ...variants[variant]!, ...sizes }), weights);
  });
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
