import * as tf from '@tensorflow/tfjs-core';
import { engineBackend, type RecordingBinding } from '@pyramidal/kernels/engine';
import { onEngines, wavesTensor } from '@pyramidal/testing';
import { inferencePass } from './forward-pass';
import { Mlp } from './mlp';
import { Module } from './module';
import { nameModules } from './name-modules';

class Net extends Module {
  readonly blocks = [new Mlp(3, 4), new Mlp(3, 4)];

  forward(x: tf.Tensor2D): tf.Tensor2D {
    return this.blocks.reduce((y, block) => block.forward(y, inferencePass()), x);
  }
}

/** The scopes that operations run in while `work` does, each once, in order. */
function scopesOf(work: () => void): string[] {
  const backend = engineBackend()!;
  const { binding } = backend;
  const scopes = new Set<string>();
  let scope = '';
  const recording: RecordingBinding = {
    isPortable: false,
    isExported: false,
    isFloat32: false,
    fusesLayerNorm: false,
    identityAfter: () => {
      throw new Error('not needed');
    },
    workers: 1,
    reduceOverWorkers: () => {
      throw new Error('not needed');
    },
    inScope(inner, run) {
      const before = scope;
      scope = inner;
      try {
        return run();
      } finally {
        scope = before;
      }
    },
  };
  const executeOp: typeof binding.executeOp = (...args) => {
    scopes.add(scope);
    return binding.executeOp(...args);
  };
  backend.binding = Object.create(binding, { recording: { value: recording }, executeOp: { value: executeOp } });
  try {
    work();
    return [...scopes];
  } finally {
    backend.binding = binding;
  }
}

onEngines(
  'named modules',
  () => {
    it('give their names to what they compute, and to its gradient', () => {
      const net = new Net();
      net.initialize(1);
      const x = wavesTensor<tf.Rank.R2>([2, 3]);
      const end = nameModules(net);
      const gradient = (): void => tf.tidy(() => void tf.variableGrads(() => tf.sum<tf.Scalar>(net.forward(x))));
      const forward = ['forward/blocks.0.fc1', 'forward/blocks.0', 'forward/blocks.0.fc2', 'forward/blocks.1.fc1'];
      const backward = ['backward/blocks.1.fc2', 'backward/blocks.1', 'backward/blocks.1.fc1', 'backward/blocks.0.fc2'];
      const scopes = scopesOf(gradient);
      expect(scopes).toEqual(expect.arrayContaining([...forward, ...backward]));
      expect(scopes.indexOf('backward/blocks.1.fc2')).toBeGreaterThan(scopes.indexOf('forward/blocks.1.fc2'));
      end();
      expect(scopesOf(gradient)).toEqual(['']);
      net.dispose();
      x.dispose();
    });
  },
  ['tensorflow'],
);
