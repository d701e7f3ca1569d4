/** Boxes [x, y, width, height]. The counterpart of src/mask/boxes.ts, with the same order of operations. */

/** Area in which two boxes overlap; -1 if they do not. Both axes are taken at once. */
export function boxIntersection(a: usize, b: usize): f64 {
  const from = v128.load(a);
  const start = v128.load(b);
  const to = f64x2.add(v128.load(a, 16), from);
  const end = f64x2.add(v128.load(b, 16), start);
  const sides = f64x2.sub(f64x2.pmin(to, end), f64x2.pmax(from, start));
  if (v128.any_true(f64x2.le(sides, f64x2.splat(0)))) return -1;
  return f64x2.extract_lane(sides, 0) * f64x2.extract_lane(sides, 1);
}

/** Intersection over union, or over a's area if b is a crowd. */
export function boxIou(a: usize, b: usize, crowd: bool): f64 {
  const intersection = boxIntersection(a, b);
  if (intersection < 0) return 0;
  const areaA = load<f64>(a, 16) * load<f64>(a, 24);
  if (crowd) return intersection / areaA;
  return intersection / (areaA + load<f64>(b, 16) * load<f64>(b, 24) - intersection);
}
