/** SavedModels run by TensorFlow's own loader, which TensorFlow Serving uses as well. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';

/** What TensorFlow.js's native backend has for SavedModels. */
interface SavedModelBackend {
  loadSavedModelMetaGraph(folder: string, tags: string): number;
  runSavedModel(id: number, inputs: tf.Tensor[], types: readonly TensorName[], outputs: readonly string[]): tf.Tensor[];
  deleteSavedModel(id: number): void;
}

interface TensorName {
  /** `node:output`. */
  readonly name: string;
  readonly tfDtype: string | undefined;
}

/** `message TensorInfo` and what holds it, as google-protobuf reads them. */
interface TensorInfo {
  getName(): string;
  getDtype(): number;
}
interface TensorInfos {
  forEach(visit: (info: TensorInfo, name: string) => void): void;
}
interface SavedModelMessage {
  getMetaGraphsList(): {
    getSignatureDefMap(): { get(name: string): { getInputsMap(): TensorInfos; getOutputsMap(): TensorInfos } };
  }[];
}
interface Messages {
  readonly SavedModel: { deserializeBinary(bytes: Uint8Array): SavedModelMessage };
}

/** The number of uint8 in TensorFlow's `enum DataType`. */
const DT_UINT8 = 4;

/**
 * What a model's signature `serving_default` gives, on the native engine.
 * @returns tensors by the names of the outputs, the caller's.
 */
export function runSavedModel(folder: string, tensors: Readonly<Record<string, tf.Tensor>>): tf.NamedTensorMap {
  const { SavedModel } = createRequire(__filename)('@tensorflow/tfjs-node-gpu/dist/proto/api_pb') as Messages;
  const message = SavedModel.deserializeBinary(new Uint8Array(readFileSync(join(folder, 'saved_model.pb'))));
  const signature = message.getMetaGraphsList()[0]!.getSignatureDefMap().get('serving_default');
  const [inputs, outputs] = [namesOf(signature.getInputsMap()), namesOf(signature.getOutputsMap())];
  const given = [...inputs.keys()].map((name) => tensors[name]!);
  const backend = tf.backend() as unknown as SavedModelBackend;
  const id = backend.loadSavedModelMetaGraph(folder, 'serve');
  try {
    const refs = [...outputs.values()].map(({ name }) => name);
    const results = backend.runSavedModel(id, given, [...inputs.values()], refs);
    return Object.fromEntries([...outputs.keys()].map((name, i) => [name, results[i]!]));
  } finally {
    backend.deleteSavedModel(id);
  }
}

function namesOf(infos: TensorInfos): Map<string, TensorName> {
  const names = new Map<string, TensorName>();
  infos.forEach((info, name) => {
    names.set(name, { name: info.getName(), tfDtype: info.getDtype() === DT_UINT8 ? 'DT_UINT8' : undefined });
  });
  return names;
}
