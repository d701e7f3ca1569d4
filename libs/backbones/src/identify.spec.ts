/** Backbones recognised by the names and shapes of their weights. */
import type { StoredTensor } from '@pyramidal/checkpoints';
import type { Module } from '@pyramidal/nn';
import type { VariantName, VariantOverrides } from './catalogue';
import { createBackbone, createClassifier, VARIANTS } from './create-backbone';
import { identifyBackbone } from './identify';

/** A small model of each family, and of both kinds of CoaT; among them MLPs whose width is a ratio of no whole number. */
const TOYS = {
  groupmixformer_miny: { channels: [20, 40, 80, 80], depths: [1, 1, 1, 1], mlpRatios: [4, 4, 4, 4] },
  coat_lite_tiny: { channels: [16, 32, 40, 64], depths: [1, 1, 1, 1], mlpRatios: [8, 8, 4, 2.2] },
  coat_tiny: { channels: [16, 32, 32, 32], depths: [1, 1, 1, 1], mlpRatios: [4, 4, 4, 4] },
  smt_tiny: { channels: [16, 32, 64, 128], depths: [1, 1, 2, 1], mlpRatios: [4, 4, 4, 2] },
  maformer_small: { channels: [32, 32, 64, 64], depths: [1, 1, 1, 1], mlpRatios: [4, 4, 4, 4] },
} as const satisfies Partial<Record<VariantName, VariantOverrides>>;

/** Names and shapes as a weights file has them; nobody may ask for values. */
function stored(module: Module, prefix = ''): ReadonlyMap<string, StoredTensor> {
  return new Map(
    [...module.state()].map(([name, { torchShape }]) => [
      prefix + name,
      {
        dtype: 'float32',
        shape: torchShape,
        get data(): never {
          throw new Error('values were read');
        },
      },
    ]),
  );
}

describe('identifyBackbone', () => {
  it.each(Object.keys(VARIANTS) as VariantName[])('knows %s by its classifier', (variant) => {
    expect(identifyBackbone(stored(createClassifier(variant, 10)))).toEqual({ variant, sizes: undefined });
  });

  it.each(Object.keys(TOYS) as (keyof typeof TOYS)[])('finds the sizes of a small %s', (variant) => {
    const weights = stored(createBackbone(variant, TOYS[variant]));
    const found = identifyBackbone(weights)!;
    const { channels, depths } = TOYS[variant];
    expect(found.sizes).toMatchObject({ channels, depths });
    expect(found.variant.split('_')[0]).toBe(variant.split('_')[0]);
    expect(shapesOf(stored(createBackbone(found.variant, found.sizes)))).toEqual(shapesOf(weights));
  });

  it("knows a detector's backbone", () => {
    const tensors = new Map(stored(createBackbone('smt_small'), 'backbone.'));
    tensors.set('rpn_head.rpn_conv.weight', { dtype: 'float32', shape: [8, 8, 3, 3], data: new Float32Array(576) });
    expect(identifyBackbone(tensors)).toEqual({ variant: 'smt_small', sizes: undefined });
  });

  it('knows nothing of other models, nor of one with a tensor missing', () => {
    expect(identifyBackbone(new Map())).toBeUndefined();
    const tensors = new Map(stored(createBackbone('coat_lite_mini')));
    tensors.delete('serial_blocks4.1.mlp.fc2.bias');
    expect(identifyBackbone(tensors)).toBeUndefined();
  });
});

const shapesOf = (weights: ReadonlyMap<string, StoredTensor>) => [...weights].map(([name, { shape }]) => [name, shape]);
