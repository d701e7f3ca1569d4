export { assembleClassifier } from './assemble';
export { classification } from './classification';
export { classificationSchema, type ClassificationConfig } from './config';
