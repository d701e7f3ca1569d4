export { GroupMixFormer, GroupMixFormerClassifier, type GroupMixFormerOptions } from './groupmixformer';
export { createBackbone, createClassifier, VARIANTS, type VariantName, type VariantOverrides } from './variants';
