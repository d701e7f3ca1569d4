/** Pictures of shapes as JPEG. */
import type { Random } from '@pyramidal/random';
import sharp from 'sharp';
import { type Shape, shapeSvg } from './shapes';

const SPECKLE = 12;

/** Renders shapes, the later ones on top, over a dull gradient with soft blots, and adds noise; JPEG bytes come out. */
export async function renderScene(shapes: readonly Shape[], size: number, random: Random): Promise<Buffer> {
  const drawn = shapes.map((shape, i) => shapeSvg(shape, `p${i}`)).join('');
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}">${background(size, random)}${drawn}</svg>`;
  const { data, info } = await sharp(Buffer.from(svg)).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  for (let i = 0; i < data.length; i++) {
    data[i] = Math.min(255, Math.max(0, data[i]! + Math.round(random.uniform(-SPECKLE, SPECKLE))));
  }
  const { width, height } = info;
  return sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 92 })
    .toBuffer();
}

function background(size: number, random: Random): string {
  const dull = () => `hsl(${random.integer(360)},${20 + random.integer(20)}%,${35 + random.integer(45)}%)`;
  const blot = () => {
    const [x, y, radius] = [random.uniform(0, size), random.uniform(0, size), size * random.uniform(0.05, 0.2)];
    return `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${radius.toFixed(1)}" fill="${dull()}" opacity="0.5"/>`;
  };
  return (
    `<linearGradient id="back" gradientTransform="rotate(${random.integer(90)})"><stop stop-color="${dull()}"/>` +
    `<stop offset="1" stop-color="${dull()}"/></linearGradient><rect width="${size}" height="${size}" fill="url(#back)"/>` +
    Array.from({ length: 5 }, blot).join('')
  );
}
