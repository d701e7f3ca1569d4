/** Recorded operations by the rules that write them in ONNX. */
import type { Rule } from './lowering';
import { AXES } from './operations/axes';
import { CONVOLUTIONS } from './operations/convolution';
import { ELEMENTWISE } from './operations/elementwise';
import { FUSED } from './operations/fused';
import { MATRICES } from './operations/matrices';
import { RESIZING } from './operations/resize';
import { ROI_ALIGN } from './operations/roi-align';
import { SELECTION } from './operations/selection';

const RULES: Readonly<Record<string, Rule>> = {
  ...ELEMENTWISE,
  ...FUSED,
  ...MATRICES,
  ...CONVOLUTIONS,
  ...RESIZING,
  ...AXES,
  ...SELECTION,
  ...ROI_ALIGN,
};

/** How an operation is written; undefined for one that is not in the table. */
export function ruleOf(op: string): Rule | undefined {
  return Object.hasOwn(RULES, op) ? RULES[op] : undefined;
}
