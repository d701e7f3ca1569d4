/** The drawings of an image: annotated and found objects, of one run or several; label maps and where they differ. */
import type { About, DetectionImage, SegmentationImage } from '../../src/protocol';
import { type Drawable, foundOf, truthOf } from '../draw/drawables';
import { drawMap, type Maps } from '../draw/draw-map';
import { drawBoxes, drawLabels, masksOf } from '../draw/draw-objects';
import type { MapLayer, View } from '../view';
import type { Scene } from './pane';

const LABEL_SIZE = 12;

/** @param picture the image's pixels. */
export function detectionScenes(image: DetectionImage, picture: CanvasImageSource, view: View, about: About): Scene[] {
  const isShown = (name: 'truth' | 'predictions'): boolean => !view.hidden.has(name);
  const chosen = Number(view.filter.get('run') ?? 0);
  const scene = (title: string, drawables: readonly Drawable[]): Scene =>
    objectScene({ title, image, picture, view, drawables });
  if (view.panes === 'together') {
    const truth = isShown('truth') ? truthOf(image, view, about, chosen) : [];
    const found = isShown('predictions') ? foundOf(image, view, about, chosen) : [];
    const title = about.runs.length === 0 ? 'annotated' : `annotated (dashed), ${about.runs[chosen]!.name}`;
    return [scene(title, [...truth, ...found])];
  }
  return [
    ...(isShown('truth') ? [scene('annotated', truthOf(image, view, about, chosen))] : []),
    ...(isShown('predictions') ? about.runs.map(({ name }, run) => scene(name, foundOf(image, view, about, run))) : []),
  ];
}

interface ObjectScene {
  readonly title: string;
  readonly image: DetectionImage;
  readonly picture: CanvasImageSource;
  readonly view: View;
  readonly drawables: readonly Drawable[];
}

function objectScene({ title, image, picture, view: { hidden }, drawables }: ObjectScene): Scene {
  const { width, height } = image;
  const masks = hidden.has('masks') ? undefined : masksOf(drawables, width, height);
  return {
    title,
    width,
    height,
    draw(pen, placement, line) {
      drawPicture(pen, picture, placement, { width, height });
      if (masks !== undefined) drawOver(pen, masks, placement);
      if (!hidden.has('boxes')) drawBoxes(pen, drawables, placement, 2 * line);
      if (!hidden.has('labels')) drawLabels(pen, drawables, placement, LABEL_SIZE * line);
    },
  };
}

/** What is drawn of a segmentor: the layer of the view, or all beside each other. @param maps of each run. */
export function segmentationScenes(
  image: SegmentationImage,
  picture: CanvasImageSource,
  { label, predictions }: { readonly label: Uint8Array; readonly predictions: readonly Uint8Array[] },
  view: View,
  about: About,
): Scene[] {
  const { width, height } = image;
  const scene = (title: string, layer: MapLayer, prediction?: Uint8Array): Scene =>
    mapScene({ title, picture, layer, maps: { width, height, label, prediction } }, view, about);
  const chosen = Number(view.filter.get('run') ?? 0);
  if (view.panes === 'together') return [scene(view.layer, view.layer, predictions[chosen])];
  return [
    scene('label', 'label'),
    ...predictions.flatMap((prediction, run) => {
      const { name } = about.runs[run]!;
      return [
        scene(`${name}: prediction`, 'prediction', prediction),
        scene(`${name}: difference`, 'difference', prediction),
      ];
    }),
  ];
}

interface MapScene {
  readonly title: string;
  readonly picture: CanvasImageSource;
  readonly layer: MapLayer;
  readonly maps: Maps;
}

function mapScene({ title, picture, layer, maps }: MapScene, { opacity }: View, { classes }: About): Scene {
  const { width, height } = maps;
  const drawn = drawMap(maps, layer, classes);
  return {
    title,
    width,
    height,
    draw(pen, placement) {
      drawPicture(pen, picture, placement, { width, height });
      pen.globalAlpha = opacity;
      if (drawn !== undefined) drawOver(pen, drawn, placement);
      pen.globalAlpha = 1;
    },
  };
}

type Draw = Parameters<Scene['draw']>;

function drawPicture(
  pen: Draw[0],
  picture: CanvasImageSource,
  { left, top, scale }: Draw[1],
  { width, height }: { readonly width: number; readonly height: number },
): void {
  pen.imageSmoothingEnabled = scale < 3; // beyond, pixels are looked at one by one
  pen.drawImage(picture, left, top, scale * width, scale * height);
}

function drawOver(pen: Draw[0], layer: HTMLCanvasElement, { left, top, scale }: Draw[1]): void {
  pen.imageSmoothingEnabled = false;
  pen.drawImage(layer, left, top, scale * layer.width, scale * layer.height);
}
