/** Depthwise convolution by vectors of channels, in the memory of the engine's tensors. */

/** Bytes of a float, and of a vector of four. */
const FLOAT: usize = 4;
const VECTOR: usize = 16;

/** Columns of the output that are summed at a time: a tap that is loaded once serves all of them. */
const COLUMNS: i32 = 4;

/**
 * Convolves each channel of x [height, width, channels] with its own taps of filter [kh, kw, channels]. The first output lies `top`
 * and `left` outside the image; what is outside counts as zero, and is passed over.
 */
// prettier-ignore
export function depthwise(
  x: usize, filter: usize, y: usize, channels: i32,
  height: i32, kh: i32, strideH: i32, dilationH: i32, top: i32, outHeight: i32,
  width: i32, kw: i32, strideW: i32, dilationW: i32, left: i32, outWidth: i32,
): void {
  const pixel = <usize>channels * FLOAT;
  const reach = (kw - 1) * dilationW;
  for (let row = 0; row < outHeight; row++) {
    const at = row * strideH - top;
    // The taps that meet the image.
    const firstRow = firstTap(at, dilationH);
    const endRow = endTap(at, dilationH, height, kh);
    const rows = x + <usize>(at + firstRow * dilationH) * <usize>width * pixel;
    const rowTaps = filter + <usize>(firstRow * kw) * pixel;
    const rowCount = max(0, endRow - firstRow);
    const rowStep = <usize>(dilationH * width) * pixel;
    const out = y + <usize>(row * outWidth) * pixel;
    for (let column = 0; column < outWidth; ) {
      const from = column * strideW - left;
      const isInside = from >= 0 && from + (COLUMNS - 1) * strideW + reach < width;
      if (isInside && column + COLUMNS <= outWidth) {
        sumColumns(
          rows + <usize>from * pixel, rowTaps, out + <usize>column * pixel, pixel,
          rowCount, rowStep, kw, <usize>dilationW * pixel, <usize>strideW * pixel,
        );
        column += COLUMNS;
        continue;
      }
      const first = firstTap(from, dilationW);
      const count = max(0, endTap(from, dilationW, width, kw) - first);
      sumColumn(
        rows + <usize>(from + first * dilationW) * pixel, rowTaps + <usize>first * pixel, out + <usize>column * pixel, pixel,
        rowCount, rowStep, count, <usize>dilationW * pixel, <usize>kw * pixel,
      );
      column++;
    }
  }
}

/** The first tap at or after the image's beginning. */
function firstTap(at: i32, dilation: i32): i32 {
  return at >= 0 ? 0 : (dilation - 1 - at) / dilation;
}

/** The first tap at or after the image's end. */
function endTap(at: i32, dilation: i32, size: i32, taps: i32): i32 {
  return min(taps, max(0, (size - at + dilation - 1) / dilation));
}

/** Four neighbouring outputs, all taps of which meet the image. */
// prettier-ignore
function sumColumns(
  x: usize, taps: usize, y: usize, pixel: usize,
  rowCount: i32, rowStep: usize, kw: i32, tapStep: usize, columnStep: usize,
): void {
  let at: usize = 0;
  for (; at + 2 * VECTOR <= pixel; at += 2 * VECTOR) {
    let a0 = f32x4.splat(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
    let tap = taps + at;
    for (let row = 0; row < rowCount; row++) {
      let source = x + at + <usize>row * rowStep;
      for (let column = 0; column < kw; column++) {
        const t0 = v128.load(tap), t1 = v128.load(tap, 16);
        a0 = plusProduct(a0, t0, source);
        a1 = plusProduct(a1, t1, source + VECTOR);
        b0 = plusProduct(b0, t0, source + columnStep);
        b1 = plusProduct(b1, t1, source + columnStep + VECTOR);
        c0 = plusProduct(c0, t0, source + 2 * columnStep);
        c1 = plusProduct(c1, t1, source + 2 * columnStep + VECTOR);
        d0 = plusProduct(d0, t0, source + 3 * columnStep);
        d1 = plusProduct(d1, t1, source + 3 * columnStep + VECTOR);
        source += tapStep;
        tap += pixel;
      }
    }
    const to = y + at;
    v128.store(to, a0); v128.store(to + VECTOR, a1);
    v128.store(to + pixel, b0); v128.store(to + pixel + VECTOR, b1);
    v128.store(to + 2 * pixel, c0); v128.store(to + 2 * pixel + VECTOR, c1);
    v128.store(to + 3 * pixel, d0); v128.store(to + 3 * pixel + VECTOR, d1);
  }
  for (let column = 0; column < COLUMNS; column++) {
    sumRest(
      x + <usize>column * columnStep, taps, y + <usize>column * pixel, pixel, at,
      rowCount, rowStep, kw, tapStep, <usize>kw * pixel,
    );
  }
}

/** One output, of which `count` taps of each row meet the image. */
// prettier-ignore
function sumColumn(
  x: usize, taps: usize, y: usize, pixel: usize,
  rowCount: i32, rowStep: usize, count: i32, tapStep: usize, tapRow: usize,
): void {
  let at: usize = 0;
  for (; at + 4 * VECTOR <= pixel; at += 4 * VECTOR) {
    let a = f32x4.splat(0), b = a, c = a, d = a;
    for (let row = 0; row < rowCount; row++) {
      let source = x + at + <usize>row * rowStep;
      let tap = taps + at + <usize>row * tapRow;
      for (let column = 0; column < count; column++) {
        a = plusProduct(a, v128.load(tap), source);
        b = plusProduct(b, v128.load(tap, 16), source + VECTOR);
        c = plusProduct(c, v128.load(tap, 32), source + 2 * VECTOR);
        d = plusProduct(d, v128.load(tap, 48), source + 3 * VECTOR);
        source += tapStep;
        tap += pixel;
      }
    }
    const to = y + at;
    v128.store(to, a); v128.store(to + VECTOR, b); v128.store(to + 2 * VECTOR, c); v128.store(to + 3 * VECTOR, d);
  }
  sumRest(x, taps, y, pixel, at, rowCount, rowStep, count, tapStep, tapRow);
}

/** The channels of an output from the byte `at` on: a vector at a time, then one by one. */
// prettier-ignore
function sumRest(
  x: usize, taps: usize, y: usize, pixel: usize, at: usize,
  rowCount: i32, rowStep: usize, count: i32, tapStep: usize, tapRow: usize,
): void {
  for (; at + VECTOR <= pixel; at += VECTOR) {
    let sum = f32x4.splat(0);
    for (let row = 0; row < rowCount; row++) {
      const source = x + at + <usize>row * rowStep, tap = taps + at + <usize>row * tapRow;
      for (let column = 0; column < count; column++) {
        sum = plusProduct(sum, v128.load(tap + <usize>column * pixel), source + <usize>column * tapStep);
      }
    }
    v128.store(y + at, sum);
  }
  for (; at < pixel; at += FLOAT) {
    let sum: f32 = 0;
    for (let row = 0; row < rowCount; row++) {
      const source = x + at + <usize>row * rowStep, tap = taps + at + <usize>row * tapRow;
      for (let column = 0; column < count; column++) {
        sum += load<f32>(tap + <usize>column * pixel) * load<f32>(source + <usize>column * tapStep);
      }
    }
    store<f32>(y + at, sum);
  }
}

function plusProduct(sum: v128, tap: v128, source: usize): v128 {
  return f32x4.add(sum, f32x4.mul(tap, v128.load(source)));
}
