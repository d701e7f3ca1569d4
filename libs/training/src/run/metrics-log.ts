/** The log of a run: `metrics.jsonl`, and TensorBoard events beside it. */
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { AppendFile, readJsonLines, writeFileAtomically } from '@pyramidal/files';
import type { Evaluated } from '../patience';
import type { EncodedImage } from '../tensorboard/event';
import { encodeRecord, eventFileName } from '../tensorboard/event-file';
import { metricsLine } from './records';

/** Numbers of a line of the log, by name. */
type Values = Readonly<Record<string, number>>;

/** A line of the log. */
interface MetricsLine {
  readonly kind: 'train' | 'evaluation';
  /** Updates done. */
  readonly step: number;
  readonly epoch: number;
  readonly values: Values;
}

/** `metrics.jsonl`, one JSON object a line, and the same numbers as TensorBoard events beside it. */
export class MetricsLog {
  private readonly lines: AppendFile;
  private readonly events: AppendFile;
  /** The evaluations that were there at the start, in their order. */
  readonly evaluations: readonly Evaluated[];

  /**
   * Lines of steps after `step`, which a run that was killed wrote after its last checkpoint, are taken out: they
   * will be written again.
   */
  constructor(path: string, step: number, warn: (message: string) => void) {
    this.evaluations = keepUntil(path, step);
    this.lines = new AppendFile(path, warn);
    const now = new Date();
    this.events = new AppendFile(join(dirname(path), eventFileName(now, hostname(), process.pid)), warn);
    const wallTime = now.getTime() / 1000;
    this.events.append(encodeRecord({ wallTime, content: { fileVersion: 'brain.Event:2' } }));
    this.events.append(encodeRecord({ wallTime, step: step + 1, content: { sessionStart: true } }));
  }

  write({ kind, step, epoch, values }: MetricsLine): void {
    const now = new Date();
    const line = { kind, step, epoch, time: now.toISOString(), ...values };
    this.lines.append(Buffer.from(`${JSON.stringify(line)}\n`));
    const scalars = Object.fromEntries(Object.entries(values).map(([name, value]) => [`${kind}/${name}`, value]));
    this.events.append(encodeRecord({ wallTime: now.getTime() / 1000, step, content: { scalars } }));
  }

  /** A picture for TensorBoard. */
  writePicture(step: number, name: string, picture: EncodedImage): void {
    const content = { images: { [name]: picture } };
    this.events.append(encodeRecord({ wallTime: Date.now() / 1000, step, content }));
  }
}

/**
 * Cuts a log back to a step; a last line that was cut short goes too.
 * @returns the evaluations that are left. @throws FileError at a damaged line; the log stays as it is.
 */
function keepUntil(path: string, step: number): Evaluated[] {
  if (!existsSync(path)) return [];
  const { records, torn } = readJsonLines(path, metricsLine);
  const kept = records.filter((record) => record.step <= step);
  if (torn !== undefined || kept.length < records.length) {
    writeFileAtomically(path, kept.map((record) => `${JSON.stringify(record)}\n`).join(''));
  }
  const evaluations = kept.filter(({ kind }) => kind === 'evaluation');
  return evaluations.map((record) => ({ step: record.step, metrics: numbersOf(record) }));
}

/** JSON has no NaN: it is written as null, and left out here. */
function numbersOf(record: object): Record<string, number> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => typeof value === 'number'));
}
