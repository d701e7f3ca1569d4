#include "exchange.h"

#include "check.h"
#include "kernel.h"
#include "tensorflow/c/tf_tensor_helper.h"

namespace pyramidal {

std::deque<tensorflow::Tensor> &ToSession() {
  static thread_local std::deque<tensorflow::Tensor> tensors;
  return tensors;
}

std::deque<tensorflow::Tensor> &FromSession() {
  static thread_local std::deque<tensorflow::Tensor> tensors;
  return tensors;
}

namespace {

void PutIntoSession(void *, TF_OpKernelContext *context) {
  const Status status;
  TF_Tensor *input = nullptr;
  TF_GetInput(context, 0, &input, status.it);
  status.Check();
  const Array owner(input);
  tensorflow::Tensor tensor;
  Check(tensorflow::TF_TensorToTensor(input, &tensor));
  ToSession().push_back(std::move(tensor));
}

void TakeFromSession(void *, TF_OpKernelContext *context) {
  if (FromSession().empty()) throw std::runtime_error("no session has given a tensor");
  const tensorflow::Tensor tensor = std::move(FromSession().front());
  FromSession().pop_front();
  absl::Status shared;
  TF_Tensor *const output = tensorflow::TF_TensorFromTensor(tensor, &shared);
  Check(shared);
  const Array owner(output);
  const Status status;
  TF_SetOutput(context, 0, output, status.it);
  status.Check();
}

const bool areRegistered =
    Register({"PyramidalToSession", {"T: type"}, {"tensor: T"}, {}, true, nullptr, &RunKernel<PutIntoSession>, nullptr}) &&
    Register({"PyramidalFromSession", {"T: type"}, {}, {"tensor: T"}, true, nullptr, &RunKernel<TakeFromSession>, nullptr});

}  // namespace
}  // namespace pyramidal
