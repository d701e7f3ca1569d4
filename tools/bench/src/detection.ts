/**
 * Training steps of the detectors at the published size, 1333 x 800 and two images, with a tiny backbone; and 200 steps of
 * the small configuration, over which memory has to stay as it is. Every case runs in a process of its own.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { type Benchmark, UsageError } from './benchmark';
import type { DetectionAnswer, DetectionCase } from './detection/contender';

const PUBLISHED = { height: 800, width: 1344, batch: 2, warmUp: 1, steps: 2 };
const TINY = ['model.backbone.name=groupmixformer_tiny'];

const CASES: readonly DetectionCase[] = [
  { config: 'sample.yaml', set: [], height: 128, width: 128, batch: 4, warmUp: 50, steps: 200 },
  { config: 'retinanet_1x.yaml', set: TINY, ...PUBLISHED },
  { config: 'atss_3x.yaml', set: TINY, ...PUBLISHED },
  { config: 'sparse-rcnn_3x.yaml', set: TINY, ...PUBLISHED },
  { config: 'deformable-detr_50e.yaml', set: TINY, ...PUBLISHED },
  { config: 'dino_12e.yaml', set: TINY, ...PUBLISHED },
  { config: 'mask-rcnn_1x.yaml', set: TINY, ...PUBLISHED },
  { config: 'cascade-mask-rcnn_1x.yaml', set: TINY, ...PUBLISHED },
];

export const detection: Benchmark = async ({ log, case: wanted = '', profile = false }) => {
  if (profile) return profileAll(casesOf(wanted), log);
  return casesOf(wanted).map((one) => {
    const name = nameOf(one);
    const answer = JSON.parse(run(one)) as DetectionAnswer;
    const { engine, wallMs, cpuMs, peakMB, growth, tensors } = answer;
    log(`${name}: ${wallMs.toFixed(0)} ms a step, at most ${peakMB.toFixed(0)} MB`);
    const mode = `train, ${one.steps} steps, memory ${growth.toFixed(1)} %, tensors +${tensors}`;
    const at = `${one.width}x${one.height} batch ${one.batch}`;
    return { case: `${name} ${at}`, engine, mode, wallMs, cpuMs, peakMB, ratioToPeer: null };
  });
};

const nameOf = ({ config, set }: DetectionCase): string => [config.replace('.yaml', ''), ...set].join(' ');

/** Those whose names, such as `atss_3x`, begin like the one that is asked for. */
function casesOf(wanted: string): DetectionCase[] {
  const cases = CASES.filter((each) => nameOf(each).startsWith(wanted));
  if (cases.length > 0) return cases;
  throw new UsageError(
    `detection: expected one of ${CASES.map(({ config }) => config).join(', ')}, received ${wanted}`,
  );
}

/** Prints where the time of each case's step goes; nothing is measured. */
function profileAll(cases: readonly DetectionCase[], log: (line: string) => void): [] {
  for (const one of cases) {
    log(nameOf(one));
    log(run({ ...one, profile: true }));
  }
  return [];
}

function run(one: DetectionCase): string {
  const config = join(__dirname, '../../../configs/detection', one.config);
  const args = ['-C', '@pyramidal/source', '--import', 'tsx', join(__dirname, 'detection/contender.ts')];
  return execFileSync(process.execPath, [...args, JSON.stringify({ ...one, config })], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}
