/** Trains and evaluates image classifiers. */
export { assembleClassifier } from './assemble';
export type { ClassifiedImage, Ranked } from './classification-work';
export { defineClassification, classification } from './classification';
export type { OwnClassificationParts } from './definition';
export { classificationSchema, type ClassificationConfig } from './config';
export { openClassifier, type ClassifierOptions, type TrainedClassifier } from './open-classifier';
export { BrokenImageError, type ImageSource } from '@pyramidal/images';
export { ClosedError, type Found } from '@pyramidal/inference';
