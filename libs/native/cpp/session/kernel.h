// Operations of our own, and kernels of our own for TensorFlow's, registered through its C interface.
#ifndef PYRAMIDAL_KERNEL_H_
#define PYRAMIDAL_KERNEL_H_

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"
#include "tensorflow/c/tf_status.h"
#include "tensorflow/c/tf_tensor.h"

// A second version of the loops for processors with AVX2, whoever makes them: the name of a processor would leave out others. It
// has no fused multiply-adds, so that both versions round alike.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define PYRAMIDAL_LOOPS __attribute__((optimize("O3"), target_clones("avx2", "default")))
#else
#define PYRAMIDAL_LOOPS
#endif

namespace pyramidal {

// Elements that are worth handing over to another thread.
constexpr int64_t kLeastPart = 16384;

struct Status {
  Status() : it(TF_NewStatus()) {}
  ~Status() { TF_DeleteStatus(it); }
  Status(const Status &) = delete;
  Status &operator=(const Status &) = delete;

  void Check() const {
    if (TF_GetCode(it) != TF_OK) throw std::runtime_error(TF_Message(it));
  }

  TF_Status *const it;
};

// A tensor that an operation takes or gives; its memory is TensorFlow's.
class Array {
 public:
  explicit Array(TF_Tensor *tensor) : tensor_(tensor) {}
  ~Array() { TF_DeleteTensor(tensor_); }
  Array(const Array &) = delete;
  Array &operator=(const Array &) = delete;

  int rank() const { return TF_NumDims(tensor_); }
  int64_t size(int axis) const { return TF_Dim(tensor_, axis); }

  std::vector<int64_t> sizes() const {
    std::vector<int64_t> all(rank());
    for (int i = 0; i < rank(); i++) all[i] = size(i);
    return all;
  }

  int64_t count() const { return TF_TensorElementCount(tensor_); }

  std::string shape() const {
    std::string text = "[";
    for (int i = 0; i < rank(); i++) text += (i == 0 ? "" : ", ") + std::to_string(size(i));
    return text + "]";
  }

  template <typename T>
  T *data() const {
    return static_cast<T *>(TF_TensorData(tensor_));
  }

  // Throws unless the shape is this one.
  void Expect(const char *name, std::initializer_list<int64_t> expected) const {
    bool isSame = rank() == static_cast<int>(expected.size());
    std::string text;
    int axis = 0;
    for (const int64_t length : expected) {
      isSame = isSame && size(axis) == length;
      text += (axis++ == 0 ? "[" : ", ") + std::to_string(length);
    }
    if (!isSame) throw std::runtime_error(std::string(name) + ": expected " + text + "], received " + shape());
  }

 private:
  TF_Tensor *const tensor_;
};

inline Array InputOf(TF_OpKernelContext *context, int i) {
  const Status status;
  TF_Tensor *tensor = nullptr;
  TF_GetInput(context, i, &tensor, status.it);
  status.Check();
  return Array(tensor);
}

inline Array OutputOf(TF_OpKernelContext *context, int i, TF_DataType dtype, const std::vector<int64_t> &shape) {
  const Status status;
  int64_t count = 1;
  for (const int64_t length : shape) count *= length;
  const size_t bytes = static_cast<size_t>(count) * TF_DataTypeSize(dtype);
  TF_Tensor *const tensor = TF_AllocateOutput(context, i, dtype, shape.data(), static_cast<int>(shape.size()), bytes,
                                              status.it);
  status.Check();
  return Array(tensor);
}

// Runs a kernel; whatever it throws becomes an error of TensorFlow.
template <void (*compute)(void *, TF_OpKernelContext *)>
void RunKernel(void *kernel, TF_OpKernelContext *context) {
  try {
    compute(kernel, context);
  } catch (const std::exception &error) {
    const Status status;
    TF_SetStatus(status.it, TF_INVALID_ARGUMENT, error.what());
    TF_OpKernelContext_Failure(context, status.it);
  }
}

// A list of whole numbers among a kernel's attributes; empty where that fails.
inline std::vector<int64_t> IntsOf(TF_OpKernelConstruction *construction, const char *name, TF_Status *status) {
  int32_t count = 0, total = 0;
  TF_OpKernelConstruction_GetAttrSize(construction, name, &count, &total, status);
  if (TF_GetCode(status) != TF_OK || count < 0) return {};
  std::vector<int64_t> values(count);
  TF_OpKernelConstruction_GetAttrInt64List(construction, name, values.data(), count, status);
  return values;
}

// What a kernel keeps of its attributes, which `Settings::Read` takes from them.
template <typename Settings>
void *CreateSettings(TF_OpKernelConstruction *construction) {
  const Status status;
  auto settings = std::make_unique<Settings>();
  settings->Read(construction, status.it);
  if (TF_GetCode(status.it) != TF_OK) TF_OpKernelConstruction_Failure(construction, status.it);
  return settings.release();
}

template <typename Settings>
void DeleteSettings(void *settings) {
  delete static_cast<Settings *>(settings);
}

struct Operation {
  const char *name;
  std::vector<const char *> attrs;
  std::vector<const char *> inputs;
  std::vector<const char *> outputs;
  // Whether it does something besides giving its outputs.
  bool isStateful;
  void *(*create)(TF_OpKernelConstruction *);
  void (*compute)(void *, TF_OpKernelContext *);
  void (*destroy)(void *);
};

inline bool Register(const Operation &operation) {
  const Status status;
  TF_OpDefinitionBuilder *const op = TF_NewOpDefinitionBuilder(operation.name);
  for (const char *attr : operation.attrs) TF_OpDefinitionBuilderAddAttr(op, attr);
  for (const char *input : operation.inputs) TF_OpDefinitionBuilderAddInput(op, input);
  for (const char *output : operation.outputs) TF_OpDefinitionBuilderAddOutput(op, output);
  // The function sets it whatever it is given.
  if (operation.isStateful) TF_OpDefinitionBuilderSetIsStateful(op, true);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(
      op, [](TF_ShapeInferenceContext *context, TF_Status *shape) {
        TF_ShapeInferenceContextSetUnknownShape(context, shape);
      });
  TF_RegisterOpDefinition(op, status.it);
  TF_KernelBuilder *const kernel =
      TF_NewKernelBuilder(operation.name, "CPU", operation.create, operation.compute, operation.destroy);
  TF_RegisterKernelBuilder(operation.name, kernel, status.it);
  return TF_GetCode(status.it) == TF_OK;
}

}  // namespace pyramidal

#endif  // PYRAMIDAL_KERNEL_H_
