export { makeClassificationSet, type ClassificationSetOptions } from './classification';
