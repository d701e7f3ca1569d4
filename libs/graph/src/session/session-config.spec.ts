import { encodeConfig, rewritingOn } from './session-config';

describe('encodeConfig', () => {
  it('is empty without options', () => expect(encodeConfig({})).toHaveLength(0));

  it('writes options of XLA', () =>
    // graph_options { optimizer_options { global_jit_level: ON_1 cpu_global_jit: true } }
    expect(encodeConfig({ xla: true }).toString('hex')).toBe(['5206', '1a04', '2801', '3801'].join('')));

  it('writes a ConfigProto', () => {
    const config = encodeConfig({
      intraOpThreads: 2,
      interOpThreads: 1,
      deviceCount: { GPU: 0 },
      deviceFilters: ['/job:w'],
      gpu: { allowGrowth: true, memoryFraction: 0.5, visibleDevices: '1' },
      rewriting: { once: true, without: ['layout', 'memory'] },
      collectiveLeader: '/job:w',
    });
    expect(config.toString('hex')).toBe(
      [
        ['0a07', '0a03475055', '1000'], // device_count { key: "GPU" value: 0 }
        ['1002'], // intra_op_parallelism_threads
        ['2206', '2f6a6f623a77'], // device_filters
        ['2801'], // inter_op_parallelism_threads
        ['320e', '09000000000000e03f', '2001', '2a0131'], // gpu_options
        ['5208', '5206', '0802', '2001', '6001'], // graph_options { rewrite_options { layout, memory, iterations } }
        ['820108', '0a06', '2f6a6f623a77'], // experimental { collective_group_leader }
      ]
        .flat()
        .join(''),
    );
  });
});

describe('rewritingOn', () => {
  it('leaves the layout of convolutions on cards to TensorFlow', () => {
    expect(encodeConfig(rewritingOn('card'))).toHaveLength(0);
    expect(rewritingOn('processor')).toMatchObject({ rewriting: { without: expect.arrayContaining(['layout']) } });
  });
});
