/** Datasets in COCO's format with the queries of pycocotools (https://github.com/ppwwyyxx/cocoapi, pycocotools/coco.py). */
import { asBox, boxOutline } from '../mask/boxes';
import { piecesOf, readDataset, readResultList } from './dataset-reader';
import { Detections } from './detections';
import { CocoFormatError, fail, isRecord, show } from '../format/errors';
import { GroundTruth } from './ground-truth';
import { ImageTable } from './images';
import {
  annotationLabel,
  checkAnnotation,
  checkAnnotationIds,
  checkCategory,
  checkCategoryId,
  checkImage,
  checkSegmentation,
  type CheckedAnnotation,
  type CheckedCategory,
  type CheckedImage,
} from './rules';
import * as mask from '../mask/mask';
import type { CocoAnnotation, CocoCategory, CocoDataset, CocoImage, CocoResult, IouType, Rle } from '../format/types';

/** Where a dataset comes from. */
interface DatasetOrigin {
  /** The file, say; errors begin with it. */
  readonly name?: string;
  /** Of `loadRes`: the results, and the images of the dataset that they are about. */
  readonly loaded?: { readonly results: readonly CocoResult[]; readonly images: ImageTable };
}

/** A dataset's records, checked, each kind in the order of the file. */
export interface CheckedRecords {
  readonly images: readonly CheckedImage[];
  readonly categories: readonly CheckedCategory[];
  readonly annotations: readonly CheckedAnnotation[];
}

/** How many keypoints a person has in COCO. */
const COCO_KEYPOINTS = 17;

type Ids = number | readonly number[];
type Names = string | readonly string[];

/**
 * A dataset in COCO's format with look-ups by id. Method names in pycocotools' spelling stand beside idiomatic ones.
 * Queries take lists or single values; an empty list is no filter.
 */
export class COCO {
  readonly dataset: CocoDataset;
  /** Annotations by id, in the order of the file. */
  readonly anns = new Map<number, CocoAnnotation>();
  readonly imgs = new Map<number, CocoImage>();
  readonly cats = new Map<number, CocoCategory>();
  readonly imgToAnns = new Map<number, CocoAnnotation[]>();
  readonly catToImgs = new Map<number, number[]>();
  /** The results that this was loaded from by `loadRes`, as they were given. */
  readonly results: readonly CocoResult[] | undefined;
  readonly imageTable: ImageTable;
  /** What stands before the names of records in errors. */
  private readonly source: string;

  /**
   * @param source a dataset, or the text of its file.
   * @param origin what errors call the dataset, and what `loadRes` made it from.
   * @throws CocoFormatError naming the first record that breaks the format.
   */
  constructor(source: CocoDataset | Readonly<Record<string, unknown>> | string, origin: DatasetOrigin = {}) {
    const { name, loaded } = origin;
    this.source = name === undefined ? '' : `${name}: `;
    const title = name ?? 'dataset';
    this.dataset = checkDataset(typeof source === 'string' ? readDataset(piecesOf(source), title) : source, title);
    this.results = loaded?.results;
    this.imageTable = loaded?.images ?? new ImageTable(this.source);
    for (const image of this.dataset.images) {
      if (!loaded) this.imageTable.add(image);
      this.imgs.set(image.id, image);
    }
    this.dataset.categories.forEach((category, i) => {
      this.cats.set(
        checkCategoryId(category, () => `${this.source}categories[${i}]`, this.cats),
        category,
      );
    });
    this.dataset.annotations?.forEach((annotation, i) => this.index(annotation, i));
  }

  get images(): readonly CocoImage[] {
    return this.dataset.images;
  }

  get annotations(): readonly CocoAnnotation[] {
    return this.dataset.annotations ?? [];
  }

  get categories(): readonly CocoCategory[] {
    return this.dataset.categories;
  }

  image(id: number): CocoImage | undefined {
    return this.imgs.get(id);
  }

  annotation(id: number): CocoAnnotation | undefined {
    return this.anns.get(id);
  }

  category(id: number): CocoCategory | undefined {
    return this.cats.get(id);
  }

  /** The annotations of an image, in the order of the file. */
  annotationsOf(imageId: number): readonly CocoAnnotation[] {
    return this.imgToAnns.get(imageId) ?? [];
  }

  /** Ids of the images that show a category, in rising order. */
  imagesOf(categoryId: number): number[] {
    return this.getImgIds({ catIds: [categoryId] });
  }

  /** Ids of annotations of all the given images and categories, with an area strictly within a range. */
  getAnnIds({ imgIds = [], catIds = [], areaRng = [], iscrowd }: AnnotationQuery = {}): number[] {
    const images = list(imgIds);
    const categories = new Set(list(catIds));
    const [low = -Infinity, high = Infinity] = areaRng;
    const candidates = images.length > 0 ? images.flatMap((id) => this.annotationsOf(id)) : this.annotations;
    return candidates
      .filter((a) => categories.size === 0 || categories.has(a.category_id))
      .filter((a) => areaRng.length === 0 || ((a.area as number) > low && (a.area as number) < high))
      .filter((a) => iscrowd === undefined || Boolean(a.iscrowd) === Boolean(iscrowd))
      .map((a) => a.id);
  }

  /** Ids of categories by name, supercategory and id. */
  getCatIds({ catNms = [], supNms = [], catIds = [] }: CategoryQuery = {}): number[] {
    const allows = <T>(wanted: readonly T[], value: T): boolean => wanted.length === 0 || wanted.includes(value);
    return this.categories
      .filter((c) => allows(list(catNms), c.name))
      .filter((c) => allows(list(supNms), c.supercategory))
      .filter((c) => allows(list(catIds), c.id))
      .map((c) => c.id);
  }

  /** Ids of images that show all the given categories, in rising order; of all images without a query. */
  getImgIds({ imgIds = [], catIds = [] }: ImageQuery = {}): number[] {
    const categories = list(catIds);
    let ids: Set<number> | undefined = list(imgIds).length > 0 ? new Set(list(imgIds)) : undefined;
    for (const category of categories) {
      const shown = new Set(this.catToImgs.get(category));
      ids = ids ? new Set([...ids].filter((id) => shown.has(id))) : shown;
    }
    return ids ? [...ids].sort((a, b) => a - b) : [...this.imgs.keys()];
  }

  loadAnns(ids: Ids = []): CocoAnnotation[] {
    return load(this.anns, ids, 'annotation');
  }

  loadCats(ids: Ids = []): CocoCategory[] {
    return load(this.cats, ids, 'category');
  }

  loadImgs(ids: Ids = []): CocoImage[] {
    return load(this.imgs, ids, 'image');
  }

  /**
   * Results of a detector on these images, as a dataset whose annotations have ids 1, 2, ..., areas and boxes. What the first
   * result has (bbox, segmentation or keypoints) decides what all are.
   * @param results a list, or the text of its file.
   * @param name what errors call it.
   * @throws CocoFormatError naming the first result that breaks the format.
   */
  loadRes(results: readonly CocoResult[] | string, name = 'results'): COCO {
    const loaded = checkResults(results, name);
    const annotations = resultAnnotations(loaded, this.imageTable, name);
    return new COCO({ ...this.dataset, annotations }, { loaded: { results: loaded, images: this.imageTable } });
  }

  /** The mask of an annotation in the size of its image. */
  annToRLE(annotation: CocoAnnotation): Rle {
    const { id, image_id } = annotation;
    const where = (): string => `${this.source}annotation ${id}`;
    const image = this.imageTable.indexOf(image_id);
    if (image < 0) return fail(where, 'image_id', 'the id of an image of this dataset', image_id);
    const [height, width] = this.imageTable.requireSize(image);
    const segmentation = checkSegmentation(annotation.segmentation, { id: image_id, height, width }, where);
    return segmentation === undefined
      ? fail(where, 'segmentation', 'polygons or a run-length mask', annotation.segmentation)
      : mask.fromSegmentation(segmentation, height, width);
  }

  /** The pixels of an annotation in the size of its image. */
  annToMask(annotation: CocoAnnotation): mask.Bitmap {
    return mask.decode(this.annToRLE(annotation));
  }

  /** What the file says of itself. */
  info(): Readonly<Record<string, unknown>> {
    return isRecord(this.dataset['info']) ? this.dataset['info'] : {};
  }

  /**
   * All records as training reads them, under the rules of evaluation: ids once, annotations of listed images and categories,
   * boxes and areas of finite numbers and at least 0, `iscrowd` 0 or 1, masks of the size of their image; a segmentation may
   * be missing. Images must have a file and a size. For example
   * `for (const { id, name } of coco.checkedRecords().categories) ...`.
   * @throws CocoFormatError naming file, record and field of the first that breaks a rule.
   */
  checkedRecords(): CheckedRecords {
    const images = new Map<number, CheckedImage>();
    this.images.forEach((image, i) => {
      images.set(
        image.id,
        checkImage(image, () => `${this.source}images[${i}] (id ${image.id})`),
      );
    });
    const annotations = this.annotations.map((annotation, i) => {
      const where = (): string => annotationLabel(this.source, i, annotation.id);
      return checkAnnotation(annotation, images.get(annotation.image_id), this.cats, where);
    });
    return { images: [...images.values()], categories: this.categories.map(checkCategory), annotations };
  }

  /**
   * Reads all that an evaluation will read, so that what it would refuse is refused before a model runs.
   * @throws CocoFormatError as evaluation would.
   */
  requireEvaluable(iouType: IouType): void {
    this.groundTruth(iouType, iouType === 'keypoints' ? COCO_KEYPOINTS : 0);
  }

  /** The annotations as evaluation reads them. */
  groundTruth(iouType: IouType, points: number): GroundTruth {
    return GroundTruth.of(this.dataset, this.imageTable, iouType, points);
  }

  /** The results as evaluation reads them. */
  detections(truth: GroundTruth, points: number): Detections {
    if (!this.results)
      throw new CocoFormatError('results: expected a dataset made by loadRes, received one of annotations');
    return Detections.of(this.results, truth, points);
  }

  private index(annotation: CocoAnnotation, i: number): void {
    const { id, imageId, categoryId } = checkAnnotationIds(annotation, i, this.source, this.anns);
    this.anns.set(id, annotation);
    append(this.imgToAnns, imageId, annotation);
    append(this.catToImgs, categoryId, imageId);
  }
}

/** Results as a list. @throws CocoFormatError if they are none. */
export function checkResults(results: unknown, name = 'results'): readonly CocoResult[] {
  if (typeof results === 'string') return readResultList(piecesOf(results), name);
  if (Array.isArray(results)) return results as CocoResult[];
  throw new CocoFormatError(`${name}: expected a list of results, received ${show(results)}`);
}

/** Annotations of results, with what a results file leaves out. */
function resultAnnotations(results: readonly CocoResult[], images: ImageTable, name: string): CocoAnnotation[] {
  const checked = new Detections(images, 'bbox', { name });
  for (const result of results) checked.add(result);
  return results.map((result, i) => {
    const bbox = asBox(checked.boxes.data.subarray(4 * i, 4 * i + 4));
    const outline = checked.kind === 'bbox' ? [boxOutline(bbox)] : undefined;
    const segmentation = result.segmentation ?? outline;
    return {
      ...result,
      id: i + 1,
      iscrowd: 0,
      area: checked.areas.get(i),
      bbox,
      ...(segmentation && { segmentation }),
    };
  });
}

function checkDataset(value: unknown, name: string): CocoDataset {
  if (!isRecord(value)) throw new CocoFormatError(`${name}: expected an object, received ${show(value)}`);
  for (const field of ['images', 'categories', 'annotations']) {
    const missing = value[field] === undefined && field === 'annotations';
    if (!missing && !Array.isArray(value[field])) fail(() => name, field, 'a list', value[field]);
  }
  return value as object as CocoDataset;
}

function list<T extends string | number>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}

function load<T>(records: ReadonlyMap<number, T>, ids: Ids, kind: string): T[] {
  return list(ids).map((id) => {
    const record = records.get(id);
    if (record === undefined) throw new CocoFormatError(`no ${kind} has the id ${id}`);
    return record;
  });
}

function append<T>(lists: Map<number, T[]>, key: number, value: T): void {
  const entries = lists.get(key);
  if (entries) entries.push(value);
  else lists.set(key, [value]);
}

interface AnnotationQuery {
  readonly imgIds?: Ids;
  readonly catIds?: Ids;
  readonly areaRng?: readonly number[];
  readonly iscrowd?: boolean | number;
}

interface CategoryQuery {
  readonly catNms?: Names;
  readonly supNms?: Names;
  readonly catIds?: Ids;
}

interface ImageQuery {
  readonly imgIds?: Ids;
  readonly catIds?: Ids;
}
