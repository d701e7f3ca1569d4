/** Principal components of a feature map, by power iteration. */
const ITERATIONS = 16;

/**
 * Projects the cells of a map onto its directions of largest variance, found one after the other by power iteration.
 * @param values [cells, channels], row by row.
 * @returns `count` projections of `cells` values each, the largest variance first.
 */
export function principalComponents(values: Float32Array, channels: number, count: number): Float32Array[] {
  const centred = centre(values, channels);
  const directions: Float32Array[] = [];
  for (let k = 1; k <= count; k++) {
    let direction: Float32Array = Float32Array.from({ length: channels }, (_, channel) => Math.cos(channel * k));
    for (let i = 0; i < ITERATIONS; i++) {
      orthonormalise(direction, directions);
      direction = gather(centred, project(centred, direction));
    }
    orthonormalise(direction, directions);
    directions.push(direction);
  }
  return directions.map((direction) => project(centred, direction));
}

function centre(values: Float32Array, channels: number): Float32Array {
  const cells = values.length / channels;
  const means = new Float64Array(channels);
  values.forEach((value, i) => (means[i % channels]! += value / cells));
  return values.map((value, i) => value - means[i % channels]!);
}

/** Takes the given unit directions out of a vector and brings it to length 1; 0 stays 0. */
function orthonormalise(vector: Float32Array, directions: readonly Float32Array[]): void {
  for (const direction of directions) {
    const along = dot(vector, direction);
    direction.forEach((value, i) => (vector[i]! -= along * value));
  }
  const length = Math.sqrt(dot(vector, vector)) || 1;
  vector.forEach((value, i) => (vector[i] = value / length));
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function project(rows: Float32Array, direction: Float32Array): Float32Array {
  const channels = direction.length;
  return Float32Array.from({ length: rows.length / channels }, (_, cell) =>
    dot(rows.subarray(cell * channels, (cell + 1) * channels), direction),
  );
}

/** The rows' sum, each weighted by its projection. */
function gather(rows: Float32Array, projection: Float32Array): Float32Array {
  const channels = rows.length / projection.length;
  const sum = new Float32Array(channels);
  for (let cell = 0, at = 0; cell < projection.length; cell++) {
    for (let channel = 0; channel < channels; channel++, at++) sum[channel]! += projection[cell]! * rows[at]!;
  }
  return sum;
}
