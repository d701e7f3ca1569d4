/** What `errorBreakdown` of @cocoeval/ts gives, by name. */
import type { errorBreakdown } from '@cocoeval/ts';

export type ErrorBreakdown = ReturnType<typeof errorBreakdown>;
export type ImageErrors = ErrorBreakdown['images'][number];
export type ErrorKind = keyof ErrorBreakdown['counts'];
