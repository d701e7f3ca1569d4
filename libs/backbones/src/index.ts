export { CoaT, CoaTClassifier, type CoaTFeatures, type CoaTOptions } from './coat';
export { GroupMixFormer, GroupMixFormerClassifier, type GroupMixFormerOptions } from './groupmixformer';
export { MaFormer, MaFormerClassifier, type MaFormerOptions } from './maformer';
export { Smt, SmtClassifier, type SmtOptions } from './smt';
export { createBackbone, createClassifier, VARIANTS, type VariantName, type VariantOverrides } from './variants';
