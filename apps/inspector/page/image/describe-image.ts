/** An image in words: what stands in it, for those who do not see it drawn, and for numbers that a drawing does not tell. */
import type { About, DetectionImage, ImageDetails, SegmentationImage } from '../../src/protocol';
import { make, table } from '../dom';
import { foundOf, truthOf } from '../draw/drawables';
import { classColour, kindColour } from '../draw/colours';
import type { View } from '../view';

export function describeImage(image: ImageDetails, view: View, about: About): HTMLElement[] {
  return image.task === 'detection' ? describeDetections(image, view, about) : describeMaps(image, view, about);
}

function describeDetections(image: DetectionImage, view: View, about: About): HTMLElement[] {
  const chosen = Number(view.filter.get('run') ?? 0);
  const runs = view.panes === 'apart' ? [...about.runs.keys()] : [chosen].filter((run) => run in about.runs);
  const className = (label: number): string => about.classes[label]!.name;
  const objects = truthOf(image, view, about, chosen).map(({ place, text }) => [
    text,
    sizeWords(image.objects[place]!.box),
  ]);
  const found = runs.map((run) => {
    const shown = foundOf(image, view, about, run).map(({ place }) => image.runs[run]!.detections[place]!);
    const rows = shown
      .sort((a, b) => b.score - a.score)
      .map(({ label, score, kind, iou }) => {
        const dot = make('span', { class: 'dot' });
        dot.style.background = view.colours === 'class' ? classColour(about.classes[label]!) : kindColour(kind);
        return [
          make('span', { title: className(label) }, dot, className(label)),
          score.toFixed(2),
          kind,
          iou.toFixed(2),
        ];
      });
    return table(`${about.runs[run]!.name}: ${rows.length} detections`, ['class', 'score', 'kind', 'IoU'], rows);
  });
  return [...found, table(`${objects.length} annotated`, ['object', 'width × height'], objects)];
}

const sizeWords = ([, , width, height]: readonly number[]): string => `${Math.round(width!)} × ${Math.round(height!)}`;

function describeMaps(image: SegmentationImage, view: View, about: About): HTMLElement[] {
  const chosen = Number(view.filter.get('run') ?? 0);
  return about.runs.flatMap(({ name }, run) => {
    if (view.panes === 'together' && run !== chosen) return [];
    const { wrong, pixels, confusion } = image.runs[run]!;
    const rows = [...confusion]
      .filter(([row, column]) => row !== column)
      .sort(([, , a], [, , b]) => b - a)
      .map(([row, column, count]) => [
        about.classes[row]!.name,
        about.classes[column]!.name,
        `${((100 * count) / pixels).toFixed(1)} %`,
      ]);
    const share = ((100 * wrong) / Math.max(1, pixels)).toFixed(1);
    return [table(`${name}: ${share} % wrong`, ['label', 'taken for', 'of all pixels'], rows)];
  });
}
