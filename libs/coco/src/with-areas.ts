/** Exports of boxes alone often leave `area` out, which COCO's evaluation needs to tell small objects from large ones. */
import { COCO, type CocoAnnotation } from '@cocoeval/ts';

/**
 * Gives objects that have a box, and neither a mask nor an area, the area of their box.
 * @param file where the dataset comes from.
 * @returns notes for people, one line each.
 */
export function withAreas(coco: COCO, file: string): { readonly coco: COCO; readonly notes: readonly string[] } {
  const count = coco.annotations.filter(lacksArea).length;
  if (count === 0) return { coco, notes: [] };
  const annotations = coco.annotations.map((one) => (lacksArea(one) ? { ...one, area: boxArea(one) } : one));
  const notes = [`${file}: ${count} objects have neither a mask nor an area: they have that of their box`];
  return { coco: new COCO({ ...coco.dataset, annotations }, { name: file }), notes };
}

function lacksArea({ area, bbox, segmentation }: CocoAnnotation): boolean {
  const hasMask = Array.isArray(segmentation) ? segmentation.length > 0 : Boolean(segmentation);
  return (area === undefined || area === null) && !hasMask && Array.isArray(bbox) && bbox.length === 4;
}

/** What is wrong with a box is told when it is checked. */
const boxArea = ({ bbox }: CocoAnnotation): number => Number(bbox?.[2]) * Number(bbox?.[3]);
