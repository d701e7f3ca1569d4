/** Objects on their picture. */
import type { RgbImage } from '@pyramidal/images/portable';
import type { FoundObject } from './graph-detector';
import { showPicture } from './map-cards';
import { toImageData } from './picture';

/** Draws a picture with the boxes of objects, each with its name and score. */
export function drawObjects(canvas: HTMLCanvasElement, picture: RgbImage, objects: readonly FoundObject[]): void {
  showPicture(canvas, toImageData(picture));
  canvas.setAttribute('aria-label', objects.map(({ name }) => name).join(', '));
  const pen = canvas.getContext('2d')!;
  const line = Math.max(2, Math.round(Math.max(picture.width, picture.height) / 400));
  // The best is drawn last, over the others.
  for (const { name, score, box, colour } of objects.toReversed()) {
    const [x1, y1, x2, y2] = box.map(Math.round) as [number, number, number, number];
    const paint = `rgb(${colour.join(' ')})`;
    Object.assign(pen, { strokeStyle: paint, lineWidth: line, font: `${6 * line}px system-ui, sans-serif` });
    pen.strokeRect(x1, y1, x2 - x1, y2 - y1);
    const text = `${name} ${score.toFixed(2)}`;
    const width = pen.measureText(text).width + 2 * line;
    const [left, top] = [Math.min(x1, picture.width - width), Math.max(0, y1 - 8 * line)];
    pen.fillStyle = paint;
    pen.fillRect(left, top, width, 8 * line);
    pen.fillStyle = isDark(colour) ? '#fff' : '#000';
    pen.fillText(text, left + line, top + 6 * line);
  }
}

/** By the luminance of ITU-R BT.601. */
const isDark = ([red, green, blue]: FoundObject['colour']): boolean => 0.299 * red + 0.587 * green + 0.114 * blue < 140;
