/** Small sets in COCO's format with real images, for specs. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { blankImage, encodeImage, type Size } from '@pyramidal/images';

/** What a spec compares: one object as COCO's file has it. */
export interface CocoObject {
  readonly category: string;
  readonly bbox: readonly number[];
  readonly segmentation?: unknown;
  readonly iscrowd?: number;
  readonly attributes?: object;
}

export interface Picture extends Size {
  readonly name: string;
  readonly objects: readonly CocoObject[];
}

/** A folder that is gone after each test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'formats-'));
  folders.push(folder);
  return folder;
}

const folders: string[] = [];

export const removeTemporaryFolders = (): void => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
};

export function writeFiles(folder: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}

const encoded = new Map<string, Buffer>();

/** A picture of a size, PNG. */
export async function pictureOf({ width, height }: Size): Promise<Buffer> {
  const key = `${width}x${height}`;
  const known = encoded.get(key) ?? (await encodeImage(blankImage({ width, height }), 'png'));
  encoded.set(key, known);
  return known;
}

/** Writes `annotations/instances_train.json` and the images in `train/`. */
export async function writeCocoSet(
  folder: string,
  categories: readonly string[],
  pictures: readonly Picture[],
): Promise<void> {
  for (const picture of pictures) writeFiles(join(folder, 'train'), { [picture.name]: await pictureOf(picture) });
  let id = 0;
  const annotations = pictures.flatMap(({ objects }, i) =>
    objects.map(({ category, ...object }) => ({
      id: ++id,
      image_id: i + 1,
      category_id: categories.indexOf(category) + 1,
      area: 1,
      ...object,
    })),
  );
  const images = pictures.map(({ name, width, height }, i) => ({ id: i + 1, file_name: name, width, height }));
  const listed = categories.map((name, i) => ({ id: i + 1, name }));
  writeFiles(folder, {
    'annotations/instances_train.json': JSON.stringify({ images, annotations, categories: listed }),
  });
}

interface CocoFile {
  readonly images: readonly {
    readonly id: number;
    readonly file_name: string;
    readonly width: number;
    readonly height: number;
  }[];
  readonly categories: readonly { readonly id: number; readonly name: string }[];
  readonly annotations: readonly (CocoObject & {
    readonly image_id: number;
    readonly category_id: number;
    readonly area: number;
  })[];
}

export interface CocoSet {
  readonly categories: readonly string[];
  /** By name. */
  readonly pictures: readonly Picture[];
  readonly areas: readonly number[];
}

/** Reads such a file with the parser of the platform alone. */
export function readCocoSet(folder: string, split = 'train'): CocoSet {
  const file = JSON.parse(readFileSync(join(folder, 'annotations', `instances_${split}.json`), 'utf8')) as CocoFile;
  const names = new Map(file.categories.map(({ id, name }) => [id, name]));
  const pictures = file.images.map(({ id, file_name: name, width, height }): Picture => {
    const objects = file.annotations
      .filter(({ image_id }) => image_id === id)
      .map(({ category_id, bbox, segmentation, iscrowd, attributes }) => ({
        ...{ category: names.get(category_id)!, bbox },
        ...(segmentation !== undefined && { segmentation }),
        ...(iscrowd === 1 && { iscrowd }),
        ...(attributes !== undefined && { attributes }),
      }));
    return { name, width, height, objects };
  });
  return {
    categories: file.categories.map(({ name }) => name),
    pictures: pictures.sort((a, b) => (a.name < b.name ? -1 : 1)),
    areas: file.annotations.map(({ area }) => area),
  };
}
