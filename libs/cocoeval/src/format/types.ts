/** The COCO file formats (https://cocodataset.org/#format-data and #format-results). Sizes and boxes are in pixels. */

/** `[x, y, width, height]`, the corner being the upper left one. */
export type Box = readonly [x: number, y: number, width: number, height: number];

/** Height before width, as in COCO's run-length masks. */
export type Size = readonly [height: number, width: number];

/** Run lengths in column-major order, packed into a string. */
export interface Rle {
  readonly size: Size;
  readonly counts: string;
}

/** Run lengths in column-major order: background, foreground, background, ... */
export interface UncompressedRle {
  readonly size: Size;
  readonly counts: readonly number[];
}

/** Parts of an object, each `[x0, y0, x1, y1, ...]`. */
export type Polygons = readonly (readonly number[])[];

export type Segmentation = Polygons | Rle | UncompressedRle;

export type IouType = 'bbox' | 'segm' | 'keypoints';

export interface CocoImage {
  readonly id: number;
  readonly width?: number;
  readonly height?: number;
  readonly file_name?: string;
  /** LVIS: categories that are known to be absent from the image. */
  readonly neg_category_ids?: readonly number[];
  /** LVIS: categories of which not every object is annotated. */
  readonly not_exhaustive_category_ids?: readonly number[];
  readonly [field: string]: unknown;
}

export interface CocoCategory {
  readonly id: number;
  readonly name?: string;
  readonly supercategory?: string;
  /** LVIS: rare, common or frequent. */
  readonly frequency?: 'r' | 'c' | 'f';
  readonly [field: string]: unknown;
}

export interface CocoAnnotation {
  readonly id: number;
  readonly image_id: number;
  readonly category_id: number;
  readonly bbox?: readonly number[];
  readonly area?: number;
  readonly iscrowd?: number | boolean;
  readonly segmentation?: Segmentation;
  readonly keypoints?: readonly number[];
  readonly num_keypoints?: number;
  readonly [field: string]: unknown;
}

export interface CocoDataset {
  readonly images: readonly CocoImage[];
  readonly categories: readonly CocoCategory[];
  readonly annotations?: readonly CocoAnnotation[];
  readonly [field: string]: unknown;
}

/** One detection, as in a results file. */
export interface CocoResult {
  readonly image_id: number;
  readonly category_id: number;
  readonly score: number;
  readonly bbox?: readonly number[];
  readonly segmentation?: Segmentation;
  readonly keypoints?: readonly number[];
  readonly [field: string]: unknown;
}
