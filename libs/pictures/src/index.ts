/** Pictures for people: results drawn on images, and charts. */
export { PALETTE, drawAnnotations, tintMask, type Annotation } from './draw';
export { tintHeat } from './heat-map';
export { contactSheet } from './contact-sheet';
export { confusionMatrixPicture } from './confusion-matrix';
export { lineChartPicture, type LineChart, type Series } from './line-chart';
