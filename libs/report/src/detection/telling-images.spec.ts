import type { ImageErrors } from './breakdown';
import { tellingImages } from './telling-images';

type Outcome = ImageErrors['detections'][number]['outcome'];

const image = (imageId: number, objects: number, outcomes: readonly [Outcome, number][]): ImageErrors => ({
  imageId,
  objects: Array.from({ length: objects }, (_, i) => i),
  missed: [],
  detections: outcomes.map(([outcome, score], detection) => ({ detection, categoryId: 1, score, outcome, annotationId: undefined, iou: 0 })), // prettier-ignore
});

it('shows every image once, under the first reason that it has', () => {
  const images = [
    image(1, 2, [['match', 0.9], ['match', 0.8]]),
    image(2, 2, [['match', 0.9], ['background', 0.9]]),
    image(3, 1, [['match', 0.2]]), // of too low a score
    image(4, 0, [['ignored', 0.9]]),
  ]; // prettier-ignore
  const shown = tellingImages(images, 0.3).map(({ imageId, reason, counts }) => [imageId, reason, counts]);
  expect(shown).toEqual([
    [2, 'worst', { objects: 2, found: 1, confused: 0, wrong: 1, missed: 1 }],
    [3, 'worst', { objects: 1, found: 0, confused: 0, wrong: 0, missed: 1 }],
    [1, 'best', { objects: 2, found: 2, confused: 0, wrong: 0, missed: 0 }],
  ]);
});

it('shows no more than ten for a reason', () => {
  const images = Array.from({ length: 30 }, (_, i) => image(i, 1, []));
  const shown = tellingImages(images, 0.3);
  expect(shown.filter(({ reason }) => reason === 'worst')).toHaveLength(10);
  expect(shown.filter(({ reason }) => reason === 'most missed')).toHaveLength(10);
  expect(shown).toHaveLength(20);
});
