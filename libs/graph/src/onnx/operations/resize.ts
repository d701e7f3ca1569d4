/** Resizing of images, with the conventions of where their pixels are. */
import { RuntimeError } from '@pyramidal/kernels/engine';
import type { TensorType } from '../../record/graph-def';
import { CHANNELS_FIRST, storedItems } from '../axis-order';
import { flagOf, type Rule, type Value } from '../lowering';
import type { OnnxAttribute } from '../onnx-model';

const resize =
  (kind: Readonly<Record<string, OnnxAttribute>>): Rule =>
  (to, { node, inputs: [x], outputs: [type] }) => {
    const [aligns, centres] = [flagOf(node, 'align_corners'), flagOf(node, 'half_pixel_centers')];
    const mode = aligns ? 'align_corners' : centres ? 'half_pixel' : 'asymmetric';
    const size = to.graph.integers(storedItems((type as TensorType).shape, CHANNELS_FIRST));
    const attrs = { ...kind, coordinate_transformation_mode: { string: mode } };
    const names = [to.inOrder(x as Value, CHANNELS_FIRST), '', '', size];
    return [to.node('Resize', names, type as TensorType, { attrs, order: CHANNELS_FIRST })];
  };

const bilinear = resize({ mode: { string: 'linear' } });
const nearest = resize({ mode: { string: 'nearest' }, nearest_mode: { string: 'floor' } });

/** @throws RuntimeError for the conventions of nearest cells that ONNX rounds in other ways. */
const plainNearest: Rule = (to, operation) => {
  const { node } = operation;
  if (flagOf(node, 'align_corners') || flagOf(node, 'half_pixel_centers')) {
    throw new RuntimeError(`exportOnnxModel: '${node.name}' takes nearest cells with aligned corners or half pixels`);
  }
  return nearest(to, operation);
};

export const RESIZING = {
  ResizeBilinear: bilinear,
  ResizeNearestNeighbor: plainNearest,
} as const satisfies Readonly<Record<string, Rule>>;
