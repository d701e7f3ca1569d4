/** How a configuration makes a segmentor: the schema of a head's settings, and what these build on a backbone. */
import type { Backbone } from '@pyramidal/nn';
import type { z } from 'zod';
import type { Segmentor } from './segmentor';

/** What a configuration builds a segmentor from, besides the head's own settings. */
export interface SegmentorParts {
  readonly backbone: Backbone;
  /** Number of classes, which is the data's. */
  readonly classes: number;
}

/** A segmentor that a configuration can name by its head. */
export interface SegmentorDefinition<S extends z.ZodObject = z.ZodObject> {
  readonly schema: S;
  readonly create: (settings: z.output<S>, parts: SegmentorParts) => Segmentor;
}
