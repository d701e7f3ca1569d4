/**
 * The sample configurations reach the precision that they are said to, from random weights on the generated set: minutes each,
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
] as const;

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

  it.each(REACHED)('%s finds objects with a box AP50 of %d', async (name, atLeast) => {
    const out = join(folder, name);
    const line = `train ${ROOT}/configs/detection/${name}.yaml --out ${out}`;
    expect(await detect(line, `data.root=${folder}/data`)).toEqual({ code: 0, message: '' });
    const lines = readFileSync(join(out, 'metrics.jsonl'), 'utf8').trim().split('\n');
    const precision = lines.flatMap((text) => (JSON.parse(text) as { boxAP50?: number }).boxAP50 ?? []);
    expect(precision.at(-1)).toBeGreaterThanOrEqual(atLeast);
  });
});
