/** Labels of YOLO, Pascal VOC, LabelMe, CVAT and Label Studio to COCO's format and back; colour masks to ADE20K's layout. */
export {
  convertLabels,
  LABEL_FORMATS,
  LossError,
  type Conversion,
  type ConvertOptions,
  type LabelCounts,
  type LabelFormatName,
} from './convert';
export type { Box, LabelFormat, LabelledImage, LabelledObject, LabelSet, LabelSplit } from './label-set';
export { Losses, type Loss, type LossKind } from './losses';
export { convertMasks, readColours, type ConvertMasksOptions, type MaskConversion } from './masks';
