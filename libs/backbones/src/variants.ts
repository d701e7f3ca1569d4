import type { Backbone, Classifier } from '@pyramidal/nn';
import { GROUPMIXFORMER_VARIANTS, GroupMixFormer, GroupMixFormerClassifier } from './groupmixformer';

export interface CreateOptions {
  /** Stochastic depth of the last block; default: the variant's own training recipe. */
  readonly dropPath?: number;
}

/** Every published size. */
export const VARIANTS = { ...GROUPMIXFORMER_VARIANTS } as const;

export type VariantName = keyof typeof VARIANTS;

/** A four-level pyramid backbone without values yet: `initialize(seed)` it or load weights. */
export function createBackbone(name: VariantName, options: CreateOptions = {}): Backbone {
  return new GroupMixFormer({ ...VARIANTS[name], ...options });
}

/** The backbone with its family's own classification head. */
export function createClassifier(name: VariantName, classes: number, options: CreateOptions = {}): Classifier {
  return new GroupMixFormerClassifier(new GroupMixFormer({ ...VARIANTS[name], ...options }), classes);
}
