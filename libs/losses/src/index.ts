/** What detectors learn by, element by element. */
export { binaryCrossEntropy, focalLoss, giouLoss, smoothL1, type FocalOptions } from './losses';
