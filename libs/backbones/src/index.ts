/** The public names of @pyramidal/backbones. */
export * from './families';
export { backboneCatalogue, type BackboneCatalogue, type VariantName, type VariantOverrides } from './catalogue';
export { createBackbone, createClassifier, VARIANTS, type BackboneOptions } from './create-backbone';
export type { BackboneFamily } from './family';
export { identifyBackbone, type Identified } from './identify';
export { normalisePixels } from './normalise-pixels';
export { pyramidLevels, SizeError, type BackboneSizes } from './stages';
export { type WeightsSource } from './weights';
