export { CoaT, CoaTClassifier, type CoaTFeatures, type CoaTOptions } from './coat';
export { GroupMixFormer, GroupMixFormerClassifier, type GroupMixFormerOptions } from './groupmixformer';
export { MaFormer, MaFormerClassifier, type MaFormerOptions } from './maformer';
export { Smt, SmtClassifier, type SmtOptions } from './smt';
export { createBackbone, createClassifier, VARIANTS } from './variants';
export type { BackboneOptions, VariantName, VariantOverrides } from './variants';
export { normalisePixels } from './normalise-pixels';
export { type WeightsSource } from './weights';
