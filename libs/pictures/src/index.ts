/** Pictures for people: results drawn on images, and charts. */
export { drawAnnotations, tintMask, type Annotation } from './draw';
export { PALETTE } from './palette';
export { tintHeat } from './heat-map';
export { contactSheet } from './contact-sheet';
export { confusionMatrixPicture } from './confusion-matrix';
export { lineChartPicture, type LineChart, type Series } from './line-chart';
export { drawableClasses } from './drawable-classes';
export { enlargeSmall } from './enlarge';
export { addLegend, type LegendEntry } from './legend';
