export { createBackbone, createClassifier, VARIANTS, type VariantName, type CreateOptions } from './variants';
export { GroupMixFormer, GroupMixFormerClassifier, type GroupMixFormerOptions } from './groupmixformer';
