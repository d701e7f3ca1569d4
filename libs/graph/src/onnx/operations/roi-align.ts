/**
 * RoIAlign (Mask R-CNN, section 3), which recordings have as crops of maps with a border, summed over the levels of a
 * pyramid and averaged in bins.
 */
import { RuntimeError } from '@pyramidal/kernels/engine';
import type { GraphNode, TensorType } from '../../record/graph-def';
import { CHANNELS_FIRST } from '../axis-order';
import { attributeOf, integersOf, type Lowering, type Operation, type Rule, type Value } from '../lowering';
import { ONNX_TYPES } from '../onnx-model';

/** A map and the RoIs that are read from it; those of other maps lie at -1. */
interface Crop {
  readonly map: Value;
  /** float32 [R, 4]: y and x of the first point, then of the last; 0 and 1 are the outermost cells of the border. */
  readonly corners: Value;
  /** int32 [R]. */
  readonly images: Value;
}

interface Bins {
  readonly height: number;
  readonly width: number;
  /** Points along each axis of a bin. */
  readonly sampling: number;
}

/** Averages over bins of what crops of one or several maps give, or null for any other pooling. */
export function alignedRois(to: Lowering, { node, inputs, outputs }: Operation): Value | null {
  const sum = to.recorded(node.inputs[0], 'AddN');
  const crops = (sum?.inputs ?? node.inputs).map((ref) => to.recorded(ref, 'CropAndResize'));
  if (!crops.every((crop) => crop !== undefined)) return null;
  const [, down, across] = attributeOf(node, 'ksize', 'ints') as [number, number, number];
  const [, height, width] = (outputs[0] as TensorType).shape as [number, number, number];
  const [, rows, columns] = (inputs[0] as Value).shape as [number, number, number];
  const isWhole = down === across && height * down === rows && width * across === columns;
  if (!isWhole) return null;
  const bins = { height, width, sampling: down };
  return align(
    to,
    crops.map((crop) => cropOf(to, crop)),
    bins,
    outputs[0] as TensorType,
  );
}

/** One point a bin. */
const cropAndResize: Rule = (to, { node, outputs: [type] }) => {
  const [, height, width] = (type as TensorType).shape as [number, number, number];
  return [align(to, [cropOf(to, node)], { height, width, sampling: 1 }, type as TensorType)];
};

/** @throws RuntimeError unless a border of one cell repeats the map's edge, which is how RoIAlign reads beyond it. */
function cropOf(to: Lowering, node: GraphNode): Crop {
  const border = to.recorded(node.inputs[0], 'MirrorPad');
  const [map, sides] = (border?.inputs ?? []).map((ref) => to.valueOf(ref));
  const [corners, images] = node.inputs.slice(1, 3).map((ref) => to.valueOf(ref)) as [Value, Value];
  const isBordered =
    border !== undefined &&
    map !== undefined &&
    sides !== undefined &&
    attributeOf(border, 'mode', 'string') === 'SYMMETRIC' &&
    integersOf({ node: border, inputs: [map, sides], outputs: [] }, 1).join() === '0,0,1,1,1,1,0,0';
  if (!isBordered)
    throw new RuntimeError(`exportOnnxModel: '${node.name}' crops what has no border of its edge's values`);
  return { map, corners, images };
}

function align(to: Lowering, crops: readonly Crop[], bins: Bins, type: TensorType): Value {
  const { graph } = to;
  const [, height, width, channels] = type.shape as [number, number, number, number];
  const shape = graph.integers([type.shape[0] as number, channels, height, width]);
  const zero = { tensor: { type: 'float32', shape: [1], values: Float32Array.of(0) } } as const;
  const [nothing] = graph.add('ConstantOfShape', [shape], { value: zero }) as [string];
  const stored = crops.reduce((sum, crop) => addRois(to, sum, crop, bins), nothing);
  return { ...type, stored, order: CHANNELS_FIRST };
}

/** Adds the RoIs of one map, [R, channels, height, width], to those of the others: only its own are read. */
function addRois(to: Lowering, sum: string, { map, corners, images }: Crop, bins: Bins): string {
  const { graph } = to;
  const only = (op: string, inputs: readonly string[], attrs = {}): string => graph.add(op, inputs, attrs)[0] as string;
  const int64 = { to: { int: ONNX_TYPES.int64 } };
  const highest = only('ReduceMax', [to.plain(corners), graph.integers([1])], { keepdims: { int: 0 } });
  const isHere = only('Greater', [highest, graph.float(ELSEWHERE)]);
  const rows = only('Reshape', [only('NonZero', [isHere]), graph.integers([-1])]);
  const own = only('Gather', [to.plain(corners), rows], { axis: { int: 0 } });
  const image = only('Cast', [only('Gather', [to.plain(images), rows], { axis: { int: 0 } })], int64);
  const aligned = only('RoiAlign', [to.inOrder(map, CHANNELS_FIRST), inCells(to, own, map, bins), image], {
    coordinate_transformation_mode: { string: 'half_pixel' },
    mode: { string: 'avg' },
    output_height: { int: bins.height },
    output_width: { int: bins.width },
    sampling_ratio: { int: bins.sampling },
    spatial_scale: { float: 1 },
  });
  const places = only('Unsqueeze', [rows, graph.integers([1])]);
  return only('ScatterND', [sum, places, aligned], { reduction: { string: 'add' } });
}

/** Rows whose every corner is below this lie at -1, on another map. */
const ELSEWHERE = -0.999999;

/**
 * Corners of the first and the last point as RoIs x1, y1, x2, y2 in cells, half a cell being added because RoIAlign takes
 * it off: a linear map of the four numbers.
 */
function inCells(to: Lowering, corners: string, { shape }: Value, { height, width, sampling }: Bins): string {
  const [, mapHeight, mapWidth] = shape as [number, number, number];
  // The first point is half a step inside the RoI; the steps between points are one less than the points.
  const y = endsOf(mapHeight + 1, height * sampling);
  const x = endsOf(mapWidth + 1, width * sampling);
  const columns = [
    [0, x.near, 0, x.far],
    [y.near, 0, y.far, 0],
    [0, x.far, 0, x.near],
    [y.far, 0, y.near, 0],
  ];
  const matrix = Float32Array.from({ length: 16 }, (_, i) => columns[i % 4]![Math.floor(i / 4)]!);
  const { graph } = to;
  const factors = graph.initializer({ type: 'float32', shape: [4, 4], values: matrix });
  const [scaled] = graph.add('MatMul', [corners, factors]) as [string];
  return graph.add('Sub', [scaled, graph.float(0.5)])[0] as string;
}

/** A RoI's end is `near` times the point at that end plus `far` times the other, in cells. */
function endsOf(cells: number, points: number): { near: number; far: number } {
  const half = 1 / (2 * (points - 1));
  return { near: cells * (1 + half), far: -cells * half };
}

export const ROI_ALIGN = { CropAndResize: cropAndResize } as const satisfies Readonly<Record<string, Rule>>;
