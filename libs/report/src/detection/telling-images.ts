/** The images of an evaluation that tell most. */
import type { ImageErrors } from './breakdown';

/** Why an image is shown. */
export type Reason = 'worst' | 'most confused' | 'most missed' | 'best';

export interface TellingImage {
  readonly imageId: number;
  readonly reason: Reason;
  /** What was counted there. */
  readonly counts: ImageCounts;
}

interface ImageCounts {
  readonly objects: number;
  readonly found: number;
  readonly missed: number;
  readonly confused: number;
  /** Detections of at least `minScore` that are wrong. */
  readonly wrong: number;
}

const PER_REASON = 10;

/** What the images of a reason have most of; those that have none of it are not shown. */
const MEASURES: Readonly<Record<Reason, (counts: ImageCounts) => number>> = {
  worst: ({ wrong, missed }) => wrong + missed,
  'most confused': ({ confused }) => confused,
  'most missed': ({ missed }) => missed,
  best: ({ found, wrong, missed }) => (wrong + missed === 0 ? found : 0),
};

/** Up to ten images a reason, each shown once; detections below `minScore` count as not there. */
export function tellingImages(images: readonly ImageErrors[], minScore: number): TellingImage[] {
  const counted = images.map((image) => ({ imageId: image.imageId, counts: countsOf(image, minScore) }));
  const shown = new Set<number>();
  return (Object.entries(MEASURES) as [Reason, (counts: ImageCounts) => number][]).flatMap(([reason, measure]) => {
    const candidates = counted.filter(({ imageId, counts }) => !shown.has(imageId) && measure(counts) > 0);
    const chosen = candidates.sort((a, b) => measure(b.counts) - measure(a.counts)).slice(0, PER_REASON);
    chosen.forEach(({ imageId }) => shown.add(imageId));
    return chosen.map((image) => ({ ...image, reason }));
  });
}

function countsOf({ detections, objects }: ImageErrors, minScore: number): ImageCounts {
  const sure = detections.filter(({ score, outcome }) => score >= minScore && outcome !== 'ignored');
  const found = sure.filter(({ outcome }) => outcome === 'match').length;
  const confused = sure.filter(({ outcome }) => outcome === 'similarClass' || outcome === 'otherClass').length;
  return { objects: objects.length, found, confused, wrong: sure.length - found, missed: objects.length - found };
}
