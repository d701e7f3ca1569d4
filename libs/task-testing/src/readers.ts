/** The values of a configuration that the commands of a program read, beside what its schema says of them. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describeUnread, loadConfig, type Reader, type z } from '@pyramidal/config';
import type { ReadRecorder } from '@pyramidal/testing';
import type { Runner, Toy } from './program';

export interface ReadersOptions {
  readonly schema: z.ZodType;
  readonly run: Runner;
  readonly makeToy: () => Promise<Toy>;
  /** An image of the set. */
  readonly image: string;
  /** Watches what `loadConfig` gives. */
  readonly reads: ReadRecorder;
  /** What is read by some command and changes nothing there. */
  readonly without: readonly string[];
  /** What some command does not read and its schema does not say so, since it depends on other values. */
  readonly depends: readonly string[];
}

/** Trains for a step, and runs each command on its weights. */
export function describeReaders({ schema, run, makeToy, image, reads, without, depends }: ReadersOptions): void {
  describe('values that a command does not read', () => {
    let toy: Toy;
    let leaves: string[];
    let config: unknown;
    beforeAll(async () => {
      for (const method of ['log', 'error'] as const) jest.spyOn(console, method).mockImplementation();
      jest.spyOn(process.stderr, 'write').mockImplementation(() => true);
      toy = await makeToy();
      const set = ['train.epochs=1', 'evaluation.every=1'];
      expect(await run(`train ${toy.config} --out ${toy.folder}/run`, ...set)).toEqual({ code: 0, message: '' });
      ({ config } = loadConfig(schema, toy.config));
      leaves = leavesOf(config);
    });
    afterAll(() => {
      jest.restoreAllMocks();
      rmSync(toy.folder, { recursive: true });
    });

    it.each<Reader>(['eval', 'predict', 'export', 'info'])(
      'are those of which the schema says it (%s)',
      async (reader) => {
        const words = reader === 'predict' ? ` ${join(toy.folder, 'data', image)}` : '';
        const out = reader === 'info' ? '' : ` --out ${toy.folder}/out`;
        const format = reader === 'export' ? ' --format safetensors' : '';
        reads.take();
        const line = `${reader}${words} --weights ${toy.folder}/run${out}${format}`;
        expect(await run(line)).toEqual({ code: 0, message: '' });
        const read = reads.take();
        const told = leaves.filter((path) => {
          const overrides = [`${path}=x`];
          return describeUnread(schema, { config, overrides }, { reader, knowsClasses: true }).length > 0;
        });
        const isIn = (path: string, list: readonly string[]): boolean =>
          list.some((one) => path === one || path.startsWith(`${one}.`));
        expect(told.filter((path) => read.has(path) && !isIn(path, without))).toEqual([]);
        const unread = leaves.filter((path) => !read.has(path) && !told.includes(path));
        expect(unread.filter((path) => !isIn(path, depends))).toEqual([]);
      },
    );

    it('are told in a line of their own, and the command does its work', async () => {
      const said = jest.mocked(console.error);
      said.mockClear();
      const line = `predict ${join(toy.folder, 'data', image)} --weights ${toy.folder}/run --out ${toy.folder}/again`;
      expect((await run(line, 'train.epochs=7', 'data.root=/none')).code).toBe(0);
      expect(said.mock.calls.flat()).toEqual(
        expect.arrayContaining([
          '--set train.epochs=7: without effect, predict does not read train.epochs',
          '--set data.root=/none: without effect, predict does not read data.root: the weights tell the classes',
        ]),
      );
    });
  });
}

/** The paths of values that are no mappings. */
function leavesOf(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [path];
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, path === '' ? key : `${path}.${key}`));
}
