/** What a task's program is made of: its commands, and what each is told. */
import type { ConfigSource, RecipeBook } from '@pyramidal/config';
import type { TrainedCommand } from '@pyramidal/inference';
import type { ProgressStyle } from '@pyramidal/training';

/** What a command is told, whatever the task. */
interface Common {
  /** Overrides such as `train.epochs=1`. */
  readonly set: readonly string[];
}

interface Configured extends Common {
  /** Path of the YAML configuration, or a recipe on a backbone. */
  readonly config: ConfigSource;
}

export interface TrainCommand extends Configured {
  /** Folder of the run. */
  readonly out: string;
  /** Go on with the run in that folder: from its last checkpoint, or from this file. */
  readonly resume: boolean | string;
  /** How the run shows itself; default `live`. */
  readonly progress?: ProgressStyle;
}

export interface EvaluateCommand extends TrainedCommand {
  /** Folder of the results. */
  readonly out: string;
}

export interface PredictCommand extends TrainedCommand {
  /** Image files, folders of them, patterns such as `photos/*.jpg`. */
  readonly images: readonly string[];
  readonly out: string;
  /** Also draw what the backbone attends to. */
  readonly attention: boolean;
  /** The least score of what is written and drawn, where the user asked for one. */
  readonly score: number | undefined;
}

/** What `export` writes: weights for PyTorch, and models for TensorFlow, browsers and whatever reads ONNX. */
export const EXPORT_FORMATS = ['safetensors', 'saved-model', 'graph-model', 'onnx'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface ExportCommand extends TrainedCommand {
  readonly out: string;
  readonly formats: readonly ExportFormat[];
  /** Size of the images that the exported model takes; the configuration's own where absent. */
  readonly input: { readonly height: number; readonly width: number } | undefined;
}

/** Where an HTTP service listens, and what it takes. */
export interface ServeCommand extends TrainedCommand {
  readonly service: { readonly host: string; readonly port: number; readonly queue: number };
}

/** Looks at a data set as training does, and says what is in it. */
export interface DataCommand extends Configured {
  /** Folder for pictures of augmented training images, where they are asked for. */
  readonly augmented?: string | undefined;
}

export interface InfoCommand extends Common {
  /** A configuration; that of the weights where absent. */
  readonly config?: ConfigSource | undefined;
  /** A checkpoint that tells of itself. */
  readonly weights?: string | undefined;
  /** Print the resolved configuration as YAML, and nothing else. */
  readonly resolved: boolean;
  /** Size to count at; the configuration's own where absent. */
  readonly input: { readonly height: number; readonly width: number } | undefined;
}

/** A task's program: what its commands do. Each gives the exit code. */
export interface TaskApp {
  /** Name of the program, as users type it. */
  readonly name: string;
  readonly description: string;
  /** Whether what it finds has scores, so that `predict --score` makes sense. */
  readonly findsScores?: boolean;
  /** Whether `data --show-augmented` draws training images. */
  readonly drawsAugmented?: boolean;
  /** What `--recipe` chooses from. */
  readonly recipes?: RecipeBook;
  train(command: TrainCommand): Promise<number>;
  evaluate(command: EvaluateCommand): Promise<number>;
  predict(command: PredictCommand): Promise<number>;
  exportModel(command: ExportCommand): Promise<number>;
  info(command: InfoCommand): Promise<number>;
  data(command: DataCommand): Promise<number>;
  serve(command: ServeCommand): Promise<number>;
}
