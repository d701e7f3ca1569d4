/** Whether an addon computes, found out in a process of its own. */
import { RuntimeError } from '@pyramidal/kernels/engine';
import { lastLine, runCommand } from './run-command';

export interface ProbeResult {
  /** TensorFlow's version. */
  readonly version: string;
  /** Whether TensorFlow sees a GPU. */
  readonly gpu: boolean;
}

/**
 * Runs in a bare Node, so that a crash or an unsuitable library ends that process alone: one matrix product and one
 * convolution through the addon, printed as JSON.
 */
const SCRIPT = `
const binding = require(process.argv[1]);
const attr = (name, type, value) => ({ name, type, value });
const float = attr('T', binding.TF_ATTR_TYPE, binding.TF_FLOAT);
const create = (shape, values) => binding.createTensor(shape, binding.TF_FLOAT, new Float32Array(values));
const run = (op, attrs, inputs) => Array.from(binding.tensorDataSync(binding.executeOp(op, attrs, inputs, 1)[0].id));
const bool = (name) => attr(name, binding.TF_ATTR_BOOL, false);
const matmul = run('MatMul', [bool('transpose_a'), bool('transpose_b'), float],
  [create([2, 2], [1, 2, 3, 4]), create([2, 2], [5, 6, 7, 8])]);
const conv = run('Conv2D', [float, attr('strides', binding.TF_ATTR_INT, [1, 1, 1, 1]),
  attr('dilations', binding.TF_ATTR_INT, [1, 1, 1, 1]), attr('padding', binding.TF_ATTR_STRING, 'VALID'),
  attr('data_format', binding.TF_ATTR_STRING, 'NHWC')],
  [create([1, 2, 2, 1], [1, 2, 3, 4]), create([2, 2, 1, 1], [1, 10, 100, 1000])]);
process.stdout.write(JSON.stringify({ version: binding.TF_Version, gpu: binding.isUsingGpuDevice(), matmul, conv }));
`;

const EXPECTED = { matmul: [19, 22, 43, 50], conv: [4321] };

/**
 * Loads an addon in a process of its own and checks two of its kernels.
 * @throws RuntimeError with what the loader or the kernels said.
 */
export async function probeAddon(addon: string, env: NodeJS.ProcessEnv = process.env): Promise<ProbeResult> {
  const quiet = { TF_CPP_MIN_LOG_LEVEL: '2', ...env, NODE_OPTIONS: '' };
  const { code, signal, stdout, stderr } = await runCommand(process.execPath, ['-e', SCRIPT, addon], { env: quiet });
  if (code !== 0) throw new RuntimeError(`the native engine does not run here: ${cause(signal, stderr)}`);
  const { version, gpu, ...results } = JSON.parse(stdout) as ProbeResult & typeof EXPECTED;
  if (JSON.stringify(results) !== JSON.stringify(EXPECTED)) {
    throw new RuntimeError(
      `the native engine computes wrong numbers: expected ${JSON.stringify(EXPECTED)}, received ${JSON.stringify(results)}`,
    );
  }
  return { version, gpu };
}

function cause(signal: NodeJS.Signals | null, stderr: string): string {
  if (signal === 'SIGILL') return 'this processor lacks instructions that the TensorFlow build uses (AVX)';
  if (signal) return `it was ended by ${signal}`;
  return /^Error: (.+)$/m.exec(stderr)?.[1] ?? lastLine(stderr);
}
