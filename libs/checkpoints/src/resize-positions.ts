/** Position embeddings for another image size (ViT, Dosovitskiy et al. 2021, section 3.2). */
import { describe, type StoredTensor } from './dtype';
import { CheckpointError } from './errors';
import { toFloat32 } from './numbers';

/** Tensors whose shape follows the image or window size. */
const POSITION_NAMES = /(^|\.)(pos_embed|position_embeddings?|absolute_pos_embed|relative_position_bias_table)$/;

export const isPositionTensor = (name: string): boolean => POSITION_NAMES.test(name);

/** A grid of positions within a tensor: `lead` positions that are no cells (class tokens) come first. */
interface Grid {
  readonly lead: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Whether channels lie outermost ([1, C, H, W]) or innermost ([1, N, C], [N, heads]). */
  readonly channelsFirst: boolean;
}

/**
 * Resizes a learned position tensor to another grid, bicubically as PyTorch's
 * `interpolate(mode='bicubic', align_corners=False)`; class tokens are kept.
 * @param tensor [1, C, H, W], [1, N, C] or [N, heads] (relative positions of a window), N a square grid, plus a class token.
 * @param shape the shape wanted, of the same kind.
 */
export function resizePositions(name: string, tensor: StoredTensor, shape: readonly number[]): Float32Array {
  const from = gridOf(tensor.shape);
  const to = gridOf(shape);
  if (
    !from ||
    !to ||
    from.channels !== to.channels ||
    from.lead !== to.lead ||
    from.channelsFirst !== to.channelsFirst
  ) {
    throw new CheckpointError(`${name} cannot be resized from ${describe(tensor)} to [${shape.join(', ')}]`);
  }
  return resizeGrid(toFloat32(tensor), from, to);
}

function gridOf(shape: readonly number[]): Grid | undefined {
  const [first = 0, second = 0, third = 0, fourth = 0] = shape;
  if (shape.length === 4 && first === 1) {
    return { lead: 0, height: third, width: fourth, channels: second, channelsFirst: true };
  }
  if (shape.length === 3 && first === 1) return squareGrid(second, third);
  return shape.length === 2 ? squareGrid(first, second) : undefined;
}

function squareGrid(count: number, channels: number): Grid | undefined {
  const side = Math.floor(Math.sqrt(count));
  const lead = count - side * side;
  return lead <= 1 && side > 0 ? { lead, height: side, width: side, channels, channelsFirst: false } : undefined;
}

function resizeGrid(values: Float32Array, from: Grid, to: Grid): Float32Array {
  const { lead, channels } = from;
  const rows = cubicTaps(from.height, to.height);
  const columns = cubicTaps(from.width, to.width);
  const result = new Float32Array((lead + to.height * to.width) * channels);
  result.set(values.subarray(0, lead * channels));
  for (const [y, row4] of rows.entries()) {
    for (const [x, column4] of columns.entries()) {
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        for (const row of row4) {
          for (const column of column4) {
            sum += row.weight * column.weight * values[position(from, row.index, column.index, channel)]!;
          }
        }
        result[position(to, y, x, channel)] = sum;
      }
    }
  }
  return result;
}

const position = (
  { lead, height, width, channels, channelsFirst }: Grid,
  y: number,
  x: number,
  channel: number,
): number => (channelsFirst ? (channel * height + y) * width + x : (lead + y * width + x) * channels + channel);

interface Tap {
  readonly index: number;
  readonly weight: number;
}

/** The four source cells of every target cell; half-pixel centres, border cells repeated. */
function cubicTaps(from: number, to: number): Tap[][] {
  return Array.from({ length: to }, (_, target) => {
    const centre = ((target + 0.5) * from) / to - 0.5;
    const base = Math.floor(centre);
    return [-1, 0, 1, 2].map((step) => ({
      index: Math.min(Math.max(base + step, 0), from - 1),
      weight: cubic(Math.abs(centre - base - step)),
    }));
  });
}

/** Keys' cubic convolution kernel with PyTorch's a = -0.75. */
function cubic(distance: number): number {
  const a = -0.75;
  if (distance <= 1) return ((a + 2) * distance - (a + 3)) * distance * distance + 1;
  return distance < 2 ? ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a : 0;
}
