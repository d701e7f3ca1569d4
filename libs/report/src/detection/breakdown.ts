/** What `errorBreakdown` of @cocoeval/ts gives, by name, and what it means. */
import type { errorBreakdown } from '@cocoeval/ts';

export type ErrorBreakdown = ReturnType<typeof errorBreakdown>;
export type ImageErrors = ErrorBreakdown['images'][number];
export type ErrorKind = keyof ErrorBreakdown['counts'];

/** What each kind of error is, in the words of TIDE (Bolya et al. 2020). */
export const ERROR_MEANINGS: Readonly<Record<ErrorKind, string>> = {
  localization: 'right class, box too far off',
  similarClass: 'class of the same supercategory',
  otherClass: 'another class',
  duplicate: 'object found already',
  background: 'nothing is there',
  both: 'class and box wrong',
  missed: 'not found',
};
