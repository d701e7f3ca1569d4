/**
 * The sample configurations learn what they are said to, from random weights on the generated set: minutes each,
 * with `nx run @pyramidal/detection:test-samples`.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { detect } from './testing/toy';

const ROOT = join(__dirname, '../../..');

/** Box AP50 that each gets to, at least. */
const REACHED = [
  ['sample-atss', 0.6],
  ['sample-sparse-rcnn', 0.6],
  ['sample-dino', 0.5],
] as const;

/** Those that learn slowly from nothing, with the share of its first value that the loss falls below. */
const FALLING = [['sample-deformable-detr', 0.7]] as const;

const describeHeavy = process.env['PYRAMIDAL_HEAVY'] === '1' ? describe : describe.skip;

jest.setTimeout(3_600_000);

describeHeavy('sample configurations (skipped: minutes each; PYRAMIDAL_HEAVY=1 runs them)', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'samples-'));
    const line = ['-C', '@pyramidal/source', '--import', 'tsx', 'tools/samples/src/main.ts', 'detection'];
    execFileSync(process.execPath, [...line, join(folder, 'data')], { cwd: ROOT });
    jest.spyOn(console, 'log').mockImplementation();
    jest.spyOn(console, 'error').mockImplementation();
    jest.spyOn(process.stderr, 'write').mockImplementation(() => true);
  });

  afterAll(() => {
    jest.restoreAllMocks();
    rmSync(folder, { recursive: true });
  });

  /** What a training writes down of one number, in order. */
  async function valuesOf(name: string, metric: 'boxAP50' | 'loss'): Promise<number[]> {
    const out = join(folder, name);
    const line = `train ${ROOT}/configs/detection/${name}.yaml --out ${out}`;
    expect(await detect(line, `data.root=${folder}/data`)).toEqual({ code: 0, message: '' });
    const lines = readFileSync(join(out, 'metrics.jsonl'), 'utf8').trim().split('\n');
    return lines.flatMap((text) => (JSON.parse(text) as Partial<Record<typeof metric, number>>)[metric] ?? []);
  }

  it.each(REACHED)('%s finds objects with a box AP50 of %d', async (name, atLeast) => {
    expect((await valuesOf(name, 'boxAP50')).at(-1)).toBeGreaterThanOrEqual(atLeast);
  });

  it.each(FALLING)('%s loses less than %d of what it lost at first', async (name, share) => {
    // The first line is of one step, before anything was learned.
    const [, ...losses] = await valuesOf(name, 'loss');
    expect(losses.at(-1)).toBeLessThan(share * losses[0]!);
  });
});
