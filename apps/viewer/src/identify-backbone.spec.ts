import { createBackbone, createClassifier, VARIANTS, type VariantName } from '@pyramidal/backbones';
import type { StoredTensor } from '@pyramidal/checkpoints';
import type { Module } from '@pyramidal/nn';
import { identifyBackbone } from './identify-backbone';
import { TOYS, type ToyName } from './testing/toys';

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
    const { channels, depths, mlpRatios } = VARIANTS[variant];
    expect(identifyBackbone(stored(createClassifier(variant, 10)))).toEqual({
      variant,
      sizes: { channels, depths, mlpRatios },
      isPublished: true,
    });
  });

  it.each(Object.keys(TOYS) as ToyName[])('finds the sizes of a small %s', (variant) => {
    const sizes = TOYS[variant];
    const found = identifyBackbone(stored(createBackbone(variant, sizes)));
    expect(found).toMatchObject({ sizes, isPublished: false });
    expect(found?.variant.split('_')[0]).toBe(variant.split('_')[0]);
  });

  it("knows a detector's backbone", () => {
    const tensors = new Map(stored(createBackbone('smt_small'), 'backbone.'));
    tensors.set('rpn_head.rpn_conv.weight', { dtype: 'float32', shape: [8, 8, 3, 3], data: new Float32Array(576) });
    expect(identifyBackbone(tensors)).toMatchObject({ variant: 'smt_small', isPublished: true });
  });

  it('knows nothing of other models, nor of one with a tensor missing', () => {
    expect(identifyBackbone(new Map())).toBeUndefined();
    const tensors = new Map(stored(createBackbone('coat_lite_mini')));
    tensors.delete('serial_blocks4.1.mlp.fc2.bias');
    expect(identifyBackbone(tensors)).toBeUndefined();
  });
});
