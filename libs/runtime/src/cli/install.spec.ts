import { installNative } from '@pyramidal/native';
import { installCommand } from './install';

jest.mock('@pyramidal/native', () => ({ ...jest.requireActual('@pyramidal/native'), installNative: jest.fn() }));

/** What the command prints where TensorFlow was installed just now. */
async function told(withoutGraphs?: string): Promise<string> {
  const installation = {
    ...{ engine: 'tensorflow' as const, origin: 'the wheel of tensorflow-cpu==2.21.0', library: '/library', files: [] },
    ...{
      addon: '/addon/tfjs_binding.node',
      tensorflow: '2.21.0',
      ...(withoutGraphs !== undefined && { withoutGraphs }),
    },
  };
  jest.mocked(installNative).mockResolvedValue({ installation, already: false });
  const write = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  expect(await installCommand({ engine: 'tensorflow' })).toBe(0);
  const text = write.mock.calls.map(([line]) => String(line)).join('');
  write.mockRestore();
  return text;
}

describe('pyramidal-runtime install', () => {
  it('says what is installed', async () => {
    expect(await told()).toBe('tensorflow is installed: TensorFlow 2.21.0 from the wheel of tensorflow-cpu==2.21.0\n');
  });

  it('says so where graphs cannot run, which costs most of the speed', async () => {
    expect(await told('g++: session.h:5:10: fatal error: no space')).toBe(
      'tensorflow is installed: TensorFlow 2.21.0 from the wheel of tensorflow-cpu==2.21.0; ' +
        'steps run operation by operation, far more slowly: g++: session.h:5:10: fatal error: no space\n',
    );
  });
});
