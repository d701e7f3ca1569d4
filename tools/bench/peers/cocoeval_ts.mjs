/**
 * One timed evaluation by @cocoeval/ts as it is published: `cocoeval_ts.mjs GT DT TYPE THREADS`. Prints JSON: wall time of load,
 * evaluation and table, user CPU time and peak memory of the process, and fingerprints of the answers.
 */
import { createHash } from 'node:crypto';
import { evaluateFiles, evaluateFilesInThreads } from '@cocoeval/ts/node';

const [gt, dt, iouType, threads] = process.argv.slice(2);
const start = performance.now();
const evaluation =
  threads === '1'
    ? evaluateFiles(gt, dt, { iouType })
    : await evaluateFilesInThreads(gt, dt, { iouType, threads: Number(threads) });
const stats = [...evaluation.stats];
const wallMs = performance.now() - start;

const { userCPUTime, maxRSS } = process.resourceUsage();
const sha256 = ({ buffer, byteOffset, byteLength }) =>
  createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex');
const { precision, recall, scores } = evaluation.accumulated;
const answers = { precision: sha256(precision), recall: sha256(recall), scores: sha256(scores) };
console.log(JSON.stringify({ wallMs, cpuMs: userCPUTime / 1000, peakMB: maxRSS / 1024, stats, answers }));
