/** `model.freeze`: fine-tuning that leaves the first stages of a backbone as they are. */
import { type Backbone, LEVELS, type Module } from '@pyramidal/nn';

interface FreezeOptions {
  /** Stages after the stem; undefined freezes nothing. */
  readonly freeze?: number | undefined;
  /** File that the weights came from. */
  readonly weights?: string | undefined;
}

/**
 * Takes the stem and the first stages of a network's backbone out of training, with their norms. Call it before the optimizer is made.
 * @param say gets one line about it.
 */
export function freezeStages(
  network: Module & { readonly backbone: Backbone },
  { freeze, weights }: FreezeOptions,
  say: (line: string) => void = console.error,
): void {
  if (freeze === undefined) return;
  network.backbone.freezeThrough((['stem', ...LEVELS] as const)[freeze]!);
  const learning = [...network.parameters().values()].reduce((sum, { size }) => sum + size, 0);
  const part = freeze === 0 ? 'the stem' : `the stem and ${freeze} of ${LEVELS.length} stages`;
  const origin = weights === undefined ? ', with the weights that were drawn: model.weights names none' : '';
  say(`frozen: ${part} of the backbone${origin}; ${share(learning, network.parameterCount())} of the parameters learn`);
}

const share = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`;
