/** A project's own backbones in a program: named beside ours, checked as ours. */
import { type BackboneFamily, type BackboneSizes, pyramidLevels } from '@pyramidal/backbones';
import { loadConfig, type z } from '@pyramidal/config';
import { Backbone, Conv2d, type Module, type Pyramid } from '@pyramidal/nn';

/** A backbone of a project's own. */
class PlainNet extends Backbone {
  readonly levels;
  readonly conv = new Conv2d(3, 8, 3, { stride: 4 });

  constructor({ channels }: BackboneSizes) {
    super();
    this.levels = pyramidLevels(channels);
  }

  forward(): Pyramid {
    throw new Error('only its name and its levels are asked for');
  }

  protected stageOf(): number {
    return 0;
  }

  attentionMultiplyAdds(): number {
    return 0;
  }
}

const plainNet = {
  variants: { plain_tiny: { channels: [8, 16, 24, 32] } },
  create: (sizes) => new PlainNet(sizes),
} as const satisfies BackboneFamily;

/** What a task's program is made of. */
interface Definition<Config> {
  readonly schema: z.ZodType<Config>;
  assemble(config: Config, classes: number): Module & { readonly backbone: Backbone };
}

/** What of a configuration is looked at. */
interface Named {
  readonly model: { readonly backbone: { readonly name: string } };
}

/**
 * Describes how a project's own backbones join a program.
 * @param define makes the program's definition with them. @param sample path of a configuration.
 */
export function describeOwnBackbones<Config extends Named>(
  define: (backbones?: readonly BackboneFamily[]) => Definition<Config>,
  sample: string,
): void {
  describe('backbones of a project', () => {
    const own = define([plainNet]);
    const load = (backbone: string, { schema }: Definition<Config> = own): Config =>
      loadConfig(schema, sample, { set: [`model.backbone={ name: ${backbone} }`] }).config;

    it('are named beside ours, and networks are built on them', () => {
      expect(own.assemble(load('plain_tiny'), 3).backbone).toBeInstanceOf(PlainNet);
      expect(load('smt_tiny').model.backbone.name).toBe('smt_tiny');
      expect(() => load('plain_tiny', define())).toThrow(/expected one of coat_tiny, .*, received 'plain_tiny'/);
      expect(() => load('plain_tin')).toThrow(/, plain_tiny, received 'plain_tin', did you mean 'plain_tiny'\?/);
    });

    it('have names that no other has, and are changed in what they list alone', () => {
      const again = { ...plainNet, variants: { smt_tiny: { channels: [8, 16, 24, 32] } } } as const;
      expect(() => define([again])).toThrow("backbones: expected every name once, received 'smt_tiny' twice");
      expect(() => load('plain_tiny, depths: [1, 1, 1, 1]')).toThrow(
        'model.backbone.depths: plain_tiny: expected changes of channels, received depths',
      );
    });
  });
}
