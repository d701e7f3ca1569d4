export { assembleClassifier } from './assemble';
export { defineClassification, classification } from './classification';
export type { OwnClassificationParts } from './definition';
export { classificationSchema, type ClassificationConfig } from './config';
