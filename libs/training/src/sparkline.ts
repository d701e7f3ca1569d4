/** A curve in one line of text, after Edward Tufte's word-sized graphics. */
const BARS = [...'▁▂▃▄▅▆▇█'];

/** The values from the least (`▁`) to the largest (`█`); one that is not finite is a gap. */
export function sparkline(values: readonly number[]): string {
  const finite = values.filter(Number.isFinite);
  const [least, largest] = [Math.min(...finite), Math.max(...finite)];
  const height = (value: number): number =>
    largest > least ? Math.round(((value - least) / (largest - least)) * (BARS.length - 1)) : 0;
  return values.map((value) => (Number.isFinite(value) ? BARS[height(value)] : ' ')).join('');
}
