import { createBackbone, VARIANTS, type VariantName } from '@pyramidal/backbones';
import { compareWeights, splitModel, type StoredTensor } from '@pyramidal/checkpoints/portable';
import type { Backbone } from '@pyramidal/nn';

/** A family's name for the first MLP layer of a block: its stage, its place in the stage. The shape is [hidden, C]. */
const FIRST_LAYERS = [
  /^groupmixformer_backbone\.(\d)\.gma_stage\.(\d+)\.mlp\.fc1\.weight$/,
  /^serial_blocks(\d)\.(\d+)\.mlp\.fc1\.weight$/,
  /^stages\.(\d)\.blocks\.(\d+)\.mlp\.fc1\.weight$/,
  /^block(\d)\.(\d+)\.mlp\.fc1\.weight$/,
];

type Stages = readonly [number, number, number, number];

interface Sizes {
  readonly channels: Stages;
  readonly depths: Stages;
  readonly mlpRatios: Stages;
}

export interface Identified {
  readonly variant: VariantName;
  readonly sizes: Sizes;
  /** Whether these are the variant's published sizes. */
  readonly isPublished: boolean;
}

/**
 * Finds the backbone that weights belong to, published or of other widths and depths, by their names and shapes: the
 * backbone of a classifier, a detector or a segmentor.
 * @returns undefined where no variant fits.
 */
export function identifyBackbone(tensors: ReadonlyMap<string, StoredTensor>): Identified | undefined {
  const backbone = splitModel(tensors).parts.get('backbone');
  const sizes = backbone && blockSizes(backbone);
  if (!sizes) return undefined;
  const candidates = Object.keys(VARIANTS).map((name): Identified => {
    const variant = name as VariantName;
    return { variant, sizes, isPublished: isSameSize(sizes, VARIANTS[variant]) };
  });
  return candidates
    .sort((a, b) => Number(b.isPublished) - Number(a.isPublished))
    .find(({ variant }) => fits(variant, sizes, tensors));
}

function fits(variant: VariantName, sizes: Sizes, tensors: ReadonlyMap<string, StoredTensor>): boolean {
  let backbone: Backbone;
  try {
    backbone = createBackbone(variant, sizes);
  } catch {
    return false; // widths that this family cannot have
  }
  const { missing, unexpected, misshaped } = compareWeights(backbone, tensors);
  return missing.length + unexpected.length + misshaped.length === 0;
}

const isSameSize = (sizes: Sizes, published: Sizes): boolean =>
  (['channels', 'depths', 'mlpRatios'] as const).every((key) => `${sizes[key]}` === `${published[key]}`);

interface StageSize {
  readonly blocks: number;
  readonly channels: number;
  readonly hidden: number;
}

function blockSizes(tensors: ReadonlyMap<string, StoredTensor>): Sizes | undefined {
  const stages = new Map<number, StageSize>();
  for (const [name, { shape }] of tensors) {
    const match = FIRST_LAYERS.map((pattern) => pattern.exec(name)).find((found) => found !== null);
    if (!match) continue;
    const [hidden = 0, channels = 0] = shape;
    const stage = Number(match[1]);
    const blocks = Math.max(stages.get(stage)?.blocks ?? 0, Number(match[2]) + 1);
    stages.set(stage, { blocks, channels, hidden });
  }
  const [first, second, third, fourth] = [...stages].sort(([a], [b]) => a - b).map(([, stage]) => stage);
  if (!first || !second || !third || !fourth || stages.size > 4) return undefined;
  const each = (of: (stage: StageSize) => number) => [of(first), of(second), of(third), of(fourth)] as const;
  return {
    channels: each(({ channels }) => channels),
    depths: each(({ blocks }) => blocks),
    mlpRatios: each(({ hidden, channels }) => hidden / channels),
  };
}
