/** Whether pictures can be read and have the size that their labels were made for, told from headers alone. */
import {
  BrokenImageError,
  type DecodeOptions,
  type ImageHeader,
  type Orientation,
  readImageHeader,
  type Size,
} from '@pyramidal/images';

/** Pictures that are looked at before a run; the others are checked as they are read. */
const LOOKED_AT = 1000;

const AT_A_TIME = 8;

/** A picture with the size that its labels were made for. */
export interface LabelledSize extends Size {
  readonly file: string;
  /** The file that tells the size, where each picture has one of its own. */
  readonly label?: string;
}

/** The size of a picture as it is decoded. */
function sizeAs({ width, height, orientation }: ImageHeader, as: Orientation): Size {
  const turned = as === 'exif' && orientation >= 5;
  return turned ? { width: height, height: width } : { width, height };
}

/**
 * Checks that a decoded picture has the size that its labels were made for.
 * @throws BrokenImageError naming both sizes, and EXIF's orientation if the other way to read the picture would fit.
 */
export async function requireSize(image: Size, labelled: LabelledSize, orientation: Orientation): Promise<void> {
  if (isSame(image, labelled)) return;
  requireHeaderSize(await readImageHeader(labelled.file), labelled, orientation);
}

function requireHeaderSize(header: ImageHeader, labelled: LabelledSize, orientation: Orientation): void {
  const size = sizeAs(header, orientation);
  if (isSame(size, labelled)) return;
  const source = labelled.label === undefined ? 'its labels have' : `${labelled.label} has`;
  const [expected, received] = [labelled, size].map(({ width, height }) => `${width}x${height}`);
  throw new BrokenImageError(
    labelled.file,
    `expected ${expected} pixels as ${source}, received ${received}${adviceOf(header, labelled, orientation)}`,
  );
}

/** A line's end about EXIF if the other way to read a picture would give the size that is wanted; else nothing. */
function adviceOf(header: ImageHeader, wanted: Size, orientation: Orientation): string {
  const other = orientation === 'exif' ? 'stored' : 'exif';
  if (!isSame(sizeAs(header, other), wanted)) return '';
  return `; its EXIF orientation is ${header.orientation}, and with data.orientation: ${other} the size is right`;
}

const isSame = (a: Size, b: Size): boolean => a.width === b.width && a.height === b.height;

/** All items of a short list, evenly spaced ones of a long list. */
export function evenlySpaced<T>(items: readonly T[], limit: number): T[] {
  const count = Math.min(items.length, limit);
  return Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)]!);
}

/** A picture to look at before a run; with a size where labels were made for one. */
export type SurveyedPicture = LabelledSize | Pick<LabelledSize, 'file'>;

export interface PictureSurvey extends DecodeOptions {
  readonly orientation: Orientation;
  /** Whether a picture that is broken, too large or of another size ends the survey; those that are skipped later may be passed over. */
  readonly onBroken: 'fail' | 'skip';
}

/**
 * Looks at headers before a run: of all pictures, or of a thousand evenly spaced ones.
 * @returns notes for people, one line each.
 * @throws BrokenImageError naming the first picture that is broken, too large or of another size, unless such are skipped.
 */
export async function surveyPictures(
  pictures: readonly SurveyedPicture[],
  { orientation, maxPixels, onBroken }: PictureSurvey,
): Promise<string[]> {
  const chosen = evenlySpaced(pictures, LOOKED_AT);
  let tagged = 0;
  const lookAt = async (picture: SurveyedPicture): Promise<void> => {
    try {
      const header = await readImageHeader(picture.file, { maxPixels });
      if ('width' in picture) requireHeaderSize(header, picture, orientation);
      if (header.orientation > 1) tagged++;
    } catch (error) {
      if (onBroken === 'fail' || !(error instanceof BrokenImageError)) throw error;
    }
  };
  for (let start = 0; start < chosen.length; start += AT_A_TIME) {
    await Promise.all(chosen.slice(start, start + AT_A_TIME).map(lookAt));
  }
  if (tagged === 0 || orientation === 'exif') return [];
  return [
    `${tagged} of ${chosen.length} images have an EXIF orientation that is not followed; with data.orientation: exif they are seen as people see them`,
  ];
}
