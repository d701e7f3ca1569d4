/** One image with its objects, made ready for a batch. */
import {
  cropImage,
  decodeImage,
  decodeResized,
  type DecodeOptions,
  type ImageSource,
  type Normalisation,
  normaliseImage,
  type PixelPicture,
  resizeAndNormalise,
  resizeImage,
  type Size,
} from '@pyramidal/images';
import { requireSize, type ThreadFunction } from '@pyramidal/loading';
import { Random, type Seed } from '@pyramidal/random';
import { augmentScene, type SceneOptions } from './augment/augment';
import type { Scene } from './augment/scene';
import type { DetectionSample } from './dataset';
import { drawGeometry, type Geometry, type GeometryOptions, mapBox, resizedSize, type ScaleLimits } from './geometry';
import { cropMask } from './mask-crop';

export interface DetectionTransform extends GeometryOptions, SceneOptions {
  readonly normalisation: Normalisation;
  /** How files are read; the default orientation is 'exif', as OpenCV and detectron2 read them. */
  readonly decode?: DecodeOptions;
  /** Cells of each object's mask along an axis; 0 draws no masks. */
  readonly maskSide: number;
  /** Objects beyond this number are left out, the smallest first. */
  readonly maxObjects: number;
  /** Samples keep bytes, which are not normalised; false unless told. */
  readonly bytes?: boolean;
}

/** Objects as parallel lists; pixels [height, width, 3]. */
export interface PreparedDetection extends PixelPicture {
  /** Of the image. */
  readonly id: number;
  /** Prepared pixels per pixel of the file. */
  readonly scale: readonly [x: number, y: number];
  /** [G, 4], xyxy, pixels of the prepared image. */
  readonly boxes: Float32Array;
  readonly labels: Int32Array;
  /** [G, side, side], 0 or 1, each over its region. */
  readonly masks: Uint8Array;
  /** [G, 4], xyxy. */
  readonly regions: Float32Array;
  /** 1 where an object has a mask, 0 where it is labelled by its box alone. */
  readonly hasMask: Int32Array;
  /** [I, 4], xyxy: what is left of the crowds' boxes, the largest first. */
  readonly ignored: Float32Array;
}

/** How an image without objects is prepared. */
export interface ImageTransform {
  readonly scale: ScaleLimits;
  readonly normalisation: Normalisation;
  /** How images are read; the default orientation is 'exif', as for samples. */
  readonly decode?: DecodeOptions;
}

/** An image as a detector takes it, and where it comes from. */
export interface PreparedImage extends Pick<PreparedDetection, 'width' | 'height' | 'scale'> {
  /** Normalised, [height, width, 3]. */
  readonly pixels: Float32Array;
  /** Of the image as it was given. */
  readonly original: Size;
}

/**
 * Reads, resizes and normalises an image, just as a sample of a dataset that is not augmented.
 * @param source a file's path, its bytes, or pixels. @param name what errors call it.
 * @throws BrokenImageError if it cannot be read.
 */
export async function prepareImage(
  source: ImageSource,
  { scale, normalisation, decode }: ImageTransform,
  name?: string,
): Promise<PreparedImage> {
  const plan = (image: Size) => [{ ...resizedSize(image, scale), convention: 'opencv-bilinear' as const }];
  const { original, images } = await decodeResized(source, { orientation: 'exif', ...decode }, plan, name);
  const { width, height } = images[0]!;
  return {
    pixels: normaliseImage(images[0]!, normalisation),
    ...{ width, height, original },
    scale: [width / original.width, height / original.height],
  };
}

/** `prepareImage` for worker threads. */
export const PREPARE_IMAGE: ThreadFunction<Parameters<typeof prepareImage>, PreparedImage> = {
  file: __filename,
  name: prepareImage.name,
  run: prepareImage,
};

/**
 * Decodes, augments, resizes (OpenCV's bilinear, as MMDetection), crops, mirrors and normalises an image; boxes and masks move along.
 * @param seed all that is random comes from it.
 * @param partners other samples that the image may be made of.
 * @throws BrokenImageError if a file cannot be decoded or its size is not the annotated one.
 */
export async function prepareSample(
  sample: DetectionSample,
  transform: DetectionTransform,
  seed: Seed,
  partners: readonly DetectionSample[] = [],
): Promise<PreparedDetection> {
  const { normalisation, bytes = false } = transform;
  const fill = normalisation.mean.map(Math.round) as [number, number, number];
  const open = (partner: number): Promise<Scene> => readScene(partners[partner]!, transform);
  const scene = await augmentScene(await readScene(sample, transform), transform, open, fill, seed);
  const geometry = drawGeometry(scene.image, transform, new Random(seed));
  const { size, crop, mirror } = geometry;
  const convention = 'opencv-bilinear';
  const source =
    crop === undefined ? scene.image : cropImage(resizeImage(scene.image, { ...crop.resized, convention }), crop.rect);
  const resizing = { ...size, convention, mirror } as const;
  const pixels = bytes ? resizeImage(source, resizing).data : new Float32Array(size.width * size.height * 3);
  if (pixels instanceof Float32Array) resizeAndNormalise(source, { ...resizing, normalisation }, pixels);
  const crowds = scene.crowds.map(({ box }) => mapBox(geometry, box)).filter((box) => box !== undefined);
  const ignored = Float32Array.from(crowds.sort((a, b) => areaOf(b) - areaOf(a)).flat());
  return {
    id: sample.id,
    pixels,
    ...size,
    scale: geometry.scale,
    ignored,
    ...moveObjects(scene, geometry, transform),
  };
}

async function readScene(sample: DetectionSample, { decode }: DetectionTransform): Promise<Scene> {
  const { orientation = 'exif', maxPixels } = decode ?? {};
  const image = await decodeImage(sample.file, { orientation, ...(maxPixels !== undefined && { maxPixels }) });
  await requireSize(image, sample, orientation);
  return { image, objects: sample.objects, crowds: sample.crowds };
}

/** `prepareSample` for worker threads. */
export const PREPARE: ThreadFunction<Parameters<typeof prepareSample>, PreparedDetection> = {
  file: __filename,
  name: prepareSample.name,
  run: prepareSample,
};

function moveObjects(
  { objects }: Scene,
  geometry: Geometry,
  { maskSide, maxObjects }: DetectionTransform,
): Pick<PreparedDetection, 'boxes' | 'labels' | 'masks' | 'regions' | 'hasMask'> {
  const moved = objects.flatMap(({ box, label, segmentation }) => {
    const visible = mapBox(geometry, box);
    return visible === undefined ? [] : [{ box: visible, label, segmentation }];
  });
  const kept =
    moved.length <= maxObjects ? moved : moved.sort((a, b) => areaOf(b.box) - areaOf(a.box)).slice(0, maxObjects);
  const masks = new Uint8Array(kept.length * maskSide * maskSide);
  const regions = new Float32Array(kept.length * 4);
  const hasMask = Int32Array.from(kept, ({ segmentation }) => Number(maskSide > 0 && segmentation !== undefined));
  kept.forEach(({ box, segmentation }, i) => {
    if (segmentation === undefined || maskSide === 0) {
      regions.set(box, i * 4);
      return;
    }
    const { data, region } = cropMask(segmentation, geometry, box, maskSide);
    masks.set(data, i * maskSide * maskSide);
    regions.set(region, i * 4);
  });
  return {
    boxes: Float32Array.from(kept.flatMap(({ box }) => box)),
    labels: Int32Array.from(kept, ({ label }) => label),
    masks,
    regions,
    hasMask,
  };
}

function areaOf([x1, y1, x2, y2]: readonly [number, number, number, number]): number {
  return (x2 - x1) * (y2 - y1);
}
