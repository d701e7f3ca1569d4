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
  /** Annotations in COCO's format, to be drawn beside what is found. */
  readonly truth: string | undefined;
  /** Masks are written and drawn as outlines, where there are masks. */
  readonly polygons: boolean;
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

/** Looks at a data set and at what runs found in it, in a browser. */
export interface InspectCommand extends Common {
  /** Folders of runs: their data set and what `eval` wrote; none, one, or two to compare. */
  readonly runs: readonly string[];
  /** A configuration whose data set is looked at alone. */
  readonly config: ConfigSource | undefined;
  /** Files in COCO's format in place of runs; of detectors. */
  readonly files: InspectedFiles | undefined;
  /** Where the page is served; 0 takes any port that is free. */
  readonly port: number;
}

/** A data set in COCO's format and what was found in it. */
export interface InspectedFiles {
  readonly annotations: string;
  /** The folder of the images; that of the annotations unless told. */
  readonly images: string | undefined;
  /** Results files; none, one, or two to compare. */
  readonly results: readonly string[];
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
  /** Whether it finds objects, with scores and masks, so that `predict` takes --score and --polygons. */
  readonly findsObjects?: boolean;
  /** Whether `data --show-augmented` draws training images. */
  readonly drawsAugmented?: boolean;
  /** Whether `inspect` reads files in COCO's format too. */
  readonly inspectsFiles?: boolean;
  /** What `--recipe` chooses from. */
  readonly recipes?: RecipeBook;
  train(command: TrainCommand): Promise<number>;
  evaluate(command: EvaluateCommand): Promise<number>;
  predict(command: PredictCommand): Promise<number>;
  exportModel(command: ExportCommand): Promise<number>;
  info(command: InfoCommand): Promise<number>;
  data(command: DataCommand): Promise<number>;
  serve(command: ServeCommand): Promise<number>;
  /** Undefined where there is nothing to draw on images. */
  inspect?(command: InspectCommand): Promise<number>;
}
