/** Mosaic (YOLOv4, arXiv 2004.10934, section 3.3): four images in one, around a point that is drawn. */
import { blankImage, cropImage, flipImage, type Rect, resizeImage, type RgbImage } from '@pyramidal/images';
import type { Random } from '@pyramidal/random';
import { placeObjects, type Scene, type SceneObject } from './scene';

/** Where the point may lie, in sides of the image. */
const CENTRE = [0.3, 0.7] as const;

/**
 * Four scenes in the size of the first one. Each is resized to cover its quarter, mirrored or not, and cut there at a place that is drawn.
 * @param others three of them.
 * @param minVisible an object of which a smaller share is left counts as a crowd.
 */
export function mosaic(first: Scene, others: readonly Scene[], minVisible: number, random: Random): Scene {
  const { width, height } = first.image;
  const point = (side: number): number => Math.min(Math.max(1, Math.round(side * random.uniform(...CENTRE))), side - 1);
  const [x, y] = [point(width), point(height)];
  const quarters: readonly Rect[] = [
    { x: 0, y: 0, width: x, height: y },
    { x, y: 0, width: width - x, height: y },
    { x: 0, y, width: x, height: height - y },
    { x, y, width: width - x, height: height - y },
  ];
  const image = blankImage({ width, height });
  const objects: SceneObject[] = [];
  const crowds: SceneObject[] = [];
  [first, ...others].slice(0, quarters.length).forEach((scene, i) => {
    const window = quarters[i]!;
    const scale = Math.max(window.width / scene.image.width, window.height / scene.image.height);
    const size = {
      width: Math.max(window.width, Math.round(scene.image.width * scale)),
      height: Math.max(window.height, Math.round(scene.image.height * scale)),
    };
    const mirror = random.chance(0.5);
    const left = random.integer(size.width - window.width + 1);
    const top = random.integer(size.height - window.height + 1);
    const resized = resizeImage(scene.image, { ...size, convention: 'opencv-bilinear' });
    const part = cropImage(mirror ? flipImage(resized) : resized, {
      x: left,
      y: top,
      width: window.width,
      height: window.height,
    });
    paint(image, part, window);
    const offset = [window.x - left, window.y - top] as const;
    const visible = placeObjects(scene, { size, mirror, offset, window }, minVisible);
    objects.push(...visible.objects);
    crowds.push(...visible.crowds);
  });
  return { image, objects, crowds };
}

function paint(canvas: RgbImage, part: RgbImage, { x, y }: Rect): void {
  for (let row = 0; row < part.height; row++) {
    const from = row * part.width * 3;
    canvas.data.set(part.data.subarray(from, from + part.width * 3), ((y + row) * canvas.width + x) * 3);
  }
}
