/** Precision over recall at an overlap of 0.5; of one class its points lead to the images whose detections lie there. */
import type { Curve } from '../../src/protocol';
import { make, makeSvg } from '../dom';
import type { Server } from '../server';
import type { Address } from '../view';

const [WIDTH, HEIGHT, MARGIN] = [560, 300, 40];
/** Every so many recalls a point that can be followed. */
const STEP = 5;

export class CurveChart {
  readonly element = make('div', { class: 'curve' });
  private readonly figure = make('figure');

  constructor(
    private readonly server: Server,
    private readonly address: Address,
  ) {
    const { classes } = server.about;
    const options = classes.map(({ name }, label) => make('option', { value: label }, name));
    const select = make('select', { id: 'curve-class' }, make('option', { value: '' }, 'mean of all'), ...options);
    select.addEventListener('change', () => void this.show(select.value === '' ? undefined : Number(select.value)));
    this.element.append(make('label', { for: select.id }, 'Class', select), this.figure);
    void this.show(undefined);
  }

  private async show(label: number | undefined): Promise<void> {
    const { runs } = this.server.about;
    try {
      const curves = await Promise.all(runs.map((_, run) => this.server.curve(run, label)));
      const drawing = makeSvg(
        'svg',
        { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'group', 'aria-label': 'Curve' },
        axes(),
      );
      curves.forEach((curve, run) => drawing.append(line(curve, run), ...this.points(curve, run, label)));
      const words = runs.map(({ name }, run) => make('span', { class: `run-${run}` }, name));
      const hint =
        label === undefined
          ? 'Points of one class lead to its images.'
          : 'A point leads to the images whose detections lie between it and the point before.';
      this.figure.replaceChildren(drawing, make('figcaption', {}, ...words, make('span', { class: 'note' }, hint)));
    } catch (error) {
      this.figure.replaceChildren((error as Error).message);
    }
  }

  private points({ recall, precision, score }: Curve, run: number, label: number | undefined): SVGElement[] {
    if (label === undefined) return [];
    let before = 1;
    return recall.flatMap((r, i) => {
      if (i % STEP !== 0 || !(precision[i]! > 0)) return [];
      const [from, to] = [score[i]!, before];
      before = from;
      const filter = {
        class: label,
        minScore: from,
        maxScore: to < 1 ? to : undefined,
        run: run > 0 ? run : undefined,
      };
      const words = `recall ${r.toFixed(2)}, precision ${precision[i]!.toFixed(2)}, scores ${from.toFixed(2)} to ${to.toFixed(2)}`;
      const point = makeSvg(
        'circle',
        { cx: x(r), cy: y(precision[i]!), r: 5, class: `run-${run}` },
        makeSvg('title', {}, words),
      );
      return [makeSvg('a', { href: this.address.linkTo(filter), 'aria-label': words }, point)];
    });
  }
}

const x = (recall: number): number => MARGIN + recall * (WIDTH - 2 * MARGIN);
const y = (precision: number): number => HEIGHT - MARGIN - precision * (HEIGHT - 2 * MARGIN);

function line({ recall, precision }: Curve, run: number): SVGElement {
  const points = recall.map((r, i) => `${x(r).toFixed(1)},${y(Math.max(0, precision[i]!)).toFixed(1)}`);
  return makeSvg('polyline', { points: points.join(' '), class: `line run-${run}` });
}

function axes(): SVGElement {
  const ticks = [0, 0.25, 0.5, 0.75, 1].flatMap((value) => [
    makeSvg('line', { x1: x(0), x2: x(1), y1: y(value), y2: y(value) }),
    makeSvg('text', { x: x(0) - 8, y: y(value) + 4, 'text-anchor': 'end' }, String(value)),
    makeSvg('text', { x: x(value), y: y(0) + 18, 'text-anchor': 'middle' }, String(value)),
  ]);
  const words = [
    makeSvg('text', { x: x(0.5), y: HEIGHT - 4, 'text-anchor': 'middle' }, 'recall'),
    makeSvg('text', { x: 12, y: y(1) - 14 }, 'precision'),
  ];
  return makeSvg('g', { class: 'axes', 'aria-hidden': 'true' }, ...ticks, ...words);
}
