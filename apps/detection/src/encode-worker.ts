import type { Rle } from '@cocoeval/ts';
import { serveTasks } from '@pyramidal/images';
import { encodeMasks, type MaskTask } from './encode-masks';

serveTasks<MaskTask, Rle[]>(async (task) => ({ result: encodeMasks(task) }));
