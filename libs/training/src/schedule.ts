/** The learning rate of an update; updates count from 0. */
export type Schedule = (update: number) => number;

/** A rise of the rate at the start of a run (Goyal et al. 2017, section 2.2). */
interface Warmup {
  /** Length: one of the two. */
  readonly epochs?: number | undefined;
  readonly iterations?: number | undefined;
  /** Learning rate of the first step. */
  readonly startLr?: number;
  /** timm: a straight line up to the base rate; mmcv: the schedule's own value times a rising factor. */
  readonly convention?: 'timm' | 'mmcv';
  /** Start the schedule when the warm-up ends instead of beneath it. */
  readonly shift?: boolean;
  /** The last warm-up step is already at full height; otherwise the first one after it. */
  readonly inclusive?: boolean;
}

interface Shared {
  readonly warmup?: Warmup | undefined;
  /** When the rate changes: at every iteration, or once an epoch. */
  readonly per?: 'iteration' | 'epoch';
}

/** A schedule by its name, with its settings. */
export type ScheduleOptions =
  | ({ readonly name: 'cosine'; readonly minLr?: number } & Shared)
  | ({ readonly name: 'poly'; readonly power?: number; readonly minLr?: number } & Shared)
  | {
      readonly name: 'step';
      /** In the unit that the run is counted in. */
      readonly milestones: readonly number[];
      readonly gamma?: number;
      readonly warmup?: Warmup | undefined;
    }
  | { readonly name: 'constant'; readonly warmup?: Warmup | undefined };

/** How long a run is, in passes over the data or in optimizer updates. */
export type RunLength = { readonly epochs: number } | { readonly iterations: number };

/** The run that a schedule is for. */
interface ScheduleFrame {
  /** Base rate. */
  readonly lr: number;
  readonly length: RunLength;
  readonly updatesPerEpoch: number;
}

/**
 * Learning-rate schedules with the arithmetic of timm (CosineLRScheduler, PolyLRScheduler with `cycle_limit` 1) and
 * mmcv (PolyLrUpdaterHook, StepLrUpdaterHook); a milestone counts from its own step on, as in PyTorch's MultiStepLR.
 */
export function createSchedule(options: ScheduleOptions, frame: ScheduleFrame): Schedule {
  const { updatesPerEpoch, length } = frame;
  const perEpoch = options.name === 'step' ? 'epochs' in length : 'per' in options && options.per === 'epoch';
  const tick = perEpoch ? updatesPerEpoch : 1;
  const updates = totalUpdates(length, updatesPerEpoch);
  const { warmup } = options;
  const delay = warmup?.shift ? Math.ceil(warmupUpdates(warmup, updatesPerEpoch) / tick) : 0;
  const curve = decay(options, frame.lr, Math.ceil(updates / tick) - delay);
  const regular: Schedule = (update) => curve(Math.floor(update / tick) - delay);
  return warmup === undefined ? regular : warmedUp(regular, warmup, frame, perEpoch);
}

/** Number of optimizer updates in a run. */
export function totalUpdates(length: RunLength, updatesPerEpoch: number): number {
  return 'epochs' in length ? length.epochs * updatesPerEpoch : length.iterations;
}

/** The rate after `t` of `total` ticks, without warm-up. */
function decay(options: ScheduleOptions, lr: number, total: number): (t: number) => number {
  switch (options.name) {
    case 'cosine': {
      const { minLr = 0 } = options;
      return (t) => (t < total ? minLr + 0.5 * (lr - minLr) * (1 + Math.cos((Math.PI * t) / total)) : minLr);
    }
    case 'poly': {
      const { minLr = 0, power = 1 } = options;
      return (t) => (t < total ? (lr - minLr) * (1 - t / total) ** power + minLr : minLr);
    }
    case 'step': {
      const { milestones, gamma = 0.1 } = options;
      return (t) => lr * gamma ** milestones.filter((milestone) => t >= milestone).length;
    }
    case 'constant':
      return () => lr;
  }
}

function warmedUp(
  regular: Schedule,
  warmup: Warmup,
  { lr, updatesPerEpoch }: ScheduleFrame,
  perEpoch: boolean,
): Schedule {
  const { startLr = 0, convention = 'timm', inclusive = false } = warmup;
  // A warm-up given in epochs climbs once an epoch where the schedule itself moves once an epoch.
  const tick = perEpoch && warmup.epochs !== undefined ? updatesPerEpoch : 1;
  const length = warmupUpdates(warmup, updatesPerEpoch) / tick;
  return (update) => {
    const t = Math.floor(update / tick);
    if (t >= length) return regular(update);
    const share = (inclusive ? t + 1 : t) / length;
    if (convention === 'timm') return startLr + (lr - startLr) * share;
    return regular(update) * (1 - (1 - share) * (1 - startLr / lr));
  };
}

function warmupUpdates({ epochs = 0, iterations }: Warmup, updatesPerEpoch: number): number {
  return iterations ?? Math.round(epochs * updatesPerEpoch);
}
