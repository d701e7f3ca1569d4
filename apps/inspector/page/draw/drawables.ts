/** What of an image is drawn: the annotated and the found objects that pass the filter, with their colours and words. */
import { passesDetection, readFilter, showsObject, type DetectionFilter } from '../../src/detection/filter';
import type { About, Box, DetectionImage, Pair, Rle } from '../../src/protocol';
import type { View } from '../view';
import { classColour, kindColour, TRUTH_COLOUR } from './colours';

export interface Drawable {
  readonly box: Box;
  readonly mask: Rle | undefined;
  readonly colour: string;
  readonly text: string;
  /** Annotated objects are dashed. */
  readonly isTruth: boolean;
  /** Stands out: it is what the filter asks for. */
  readonly isMarked: boolean;
  /** Place in the image's list of objects or detections. */
  readonly place: number;
}

/** The annotated objects, as a run left them. */
export function truthOf(image: DetectionImage, view: View, about: About, run: number): Drawable[] {
  const filter = filterOf(view, about);
  const missed = new Set(image.runs[run]?.missed);
  const marked = new Set(markedPairs(image, filter, run).map(([, , object]) => object));
  return image.objects.flatMap((object, place) => {
    const { box, mask, label, crowd } = object;
    const isMarked = marked.has(place);
    if (!isMarked && !showsObject(filter, object)) return [];
    const { name, ...shown } = about.classes[label]!;
    const byKind = missed.has(place) ? kindColour('missed') : TRUTH_COLOUR;
    const colour = view.colours === 'class' ? classColour(shown) : byKind;
    const text = `${name}${crowd ? ' (crowd)' : ''}${missed.has(place) ? ', missed' : ''}`;
    return [{ box, mask, colour, text, isTruth: true, isMarked, place }];
  });
}

/** What a run found. */
export function foundOf(image: DetectionImage, view: View, about: About, run: number): Drawable[] {
  const filter = filterOf(view, about);
  const marked = new Set(markedPairs(image, filter, run).map(([, , , detection]) => detection));
  return (image.runs[run]?.detections ?? []).flatMap((detection, place) => {
    const { box, mask, kind, label, score } = detection;
    const isMarked = marked.has(place);
    if (!isMarked && !passesDetection(filter, detection)) return [];
    const { name, ...shown } = about.classes[label]!;
    const colour = view.colours === 'class' ? classColour(shown) : kindColour(kind);
    return [{ box, mask, colour, text: `${name} ${score.toFixed(2)}`, isTruth: false, isMarked, place }];
  });
}

const filterOf = ({ filter }: View, { classes, runs }: About): DetectionFilter =>
  readFilter(filter, { classes: classes.length, runs: runs.length });

/** What stands in the cell of the confusion matrix that the filter asks for. */
function markedPairs({ runs }: DetectionImage, { cell, run: chosen }: DetectionFilter, run: number): readonly Pair[] {
  if (cell === undefined || run !== chosen) return [];
  return (runs[run]?.pairs ?? []).filter(([row, column]) => row === cell[0] && column === cell[1]);
}
