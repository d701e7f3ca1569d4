// How tensors go between TensorFlow.js's engine and sessions without being copied: the engine runs operations, and two of
// them put a tensor into a queue of the calling thread and take one out of it.
#ifndef PYRAMIDAL_EXCHANGE_H_
#define PYRAMIDAL_EXCHANGE_H_

#include <deque>

#include "tensorflow/core/framework/tensor.h"

namespace pyramidal {

// What `PyramidalToSession` was given and no run has used yet.
std::deque<tensorflow::Tensor> &ToSession();

// What runs have given and `PyramidalFromSession` has not handed out yet.
std::deque<tensorflow::Tensor> &FromSession();

}  // namespace pyramidal

#endif  // PYRAMIDAL_EXCHANGE_H_
