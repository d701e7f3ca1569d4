/** TensorFlow on the processor, or on an NVIDIA card. */
export type NativeEngine = 'tensorflow' | 'tensorflow-gpu';
