/** Boxes [x, y, width, height]. The counterpart of src/mask/boxes.ts, with the same order of operations. */

/** Area in which two boxes overlap; -1 if they do not. */
export function boxIntersection(a: usize, b: usize): f64 {
  const ax = load<f64>(a);
  const bx = load<f64>(b);
  const width = min(load<f64>(a, 16) + ax, load<f64>(b, 16) + bx) - max(ax, bx);
  if (width <= 0) return -1;
  const ay = load<f64>(a, 8);
  const by = load<f64>(b, 8);
  const height = min(load<f64>(a, 24) + ay, load<f64>(b, 24) + by) - max(ay, by);
  return height <= 0 ? -1 : width * height;
}

/** Intersection over union, or over a's area if b is a crowd. */
export function boxIou(a: usize, b: usize, crowd: bool): f64 {
  const intersection = boxIntersection(a, b);
  if (intersection < 0) return 0;
  const areaA = load<f64>(a, 16) * load<f64>(a, 24);
  if (crowd) return intersection / areaA;
  return intersection / (areaA + load<f64>(b, 16) * load<f64>(b, 24) - intersection);
}
