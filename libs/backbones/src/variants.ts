import type { Backbone, Classifier } from '@pyramidal/nn';
import {
  GROUPMIXFORMER_VARIANTS,
  GroupMixFormer,
  GroupMixFormerClassifier,
  type GroupMixFormerOptions,
} from './groupmixformer';

/** Every published size. */
export const VARIANTS = { ...GROUPMIXFORMER_VARIANTS } as const;

export type VariantName = keyof typeof VARIANTS;

/** What may differ from the published size, for instance to make a smaller one. */
export type VariantOverrides = Partial<GroupMixFormerOptions>;

/**
 * A four-level pyramid backbone, without values yet: `initialize(seed)` it or load weights.
 * @throws Error if the widths do not fit the family.
 */
export function createBackbone(name: VariantName, overrides: VariantOverrides = {}): Backbone {
  return createGroupMixFormer(name, overrides);
}

/** The backbone with its family's own classification head. */
export function createClassifier(name: VariantName, classes: number, overrides: VariantOverrides = {}): Classifier {
  return new GroupMixFormerClassifier(createGroupMixFormer(name, overrides), classes);
}

function createGroupMixFormer(name: VariantName, overrides: VariantOverrides): GroupMixFormer {
  const given = Object.entries(overrides).filter(([, value]) => value !== undefined);
  return new GroupMixFormer({ ...VARIANTS[name], ...Object.fromEntries(given) });
}
