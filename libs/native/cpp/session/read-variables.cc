// The variables of a session that a step only reads, by one operation in place of two for each, which are looked up by name every time.
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/resource_mgr.h"
#include "tensorflow/core/framework/resource_var.h"
#include "tensorflow/core/framework/shape_inference.h"

namespace pyramidal {
namespace {

using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::shape_inference::InferenceContext;
using Variable = tensorflow::core::RefCountPtr<tensorflow::Var>;

class ReadVariables : public tensorflow::OpKernel {
 public:
  explicit ReadVariables(OpKernelConstruction *construction) : OpKernel(construction) {
    OP_REQUIRES_OK(construction, construction->GetAttr("names", &names_));
  }

  void Compute(OpKernelContext *context) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (variables_.empty()) OP_REQUIRES_OK(context, Find(context->resource_manager()));
    for (size_t i = 0; i < variables_.size(); i++) {
      const tensorflow::tf_shared_lock reading(*variables_[i]->mu());
      context->set_output(static_cast<int>(i), *variables_[i]->tensor());
    }
  }

  bool IsExpensive() override { return false; }

 private:
  // Assigning a value leaves a variable where it is.
  absl::Status Find(tensorflow::ResourceMgr *resources) {
    std::vector<Variable> found(names_.size());
    for (size_t i = 0; i < names_.size(); i++) {
      tensorflow::Var *variable = nullptr;
      TF_RETURN_IF_ERROR(resources->Lookup(resources->default_container(), names_[i], &variable));
      found[i].reset(variable);
    }
    variables_ = std::move(found);
    return absl::OkStatus();
  }

  std::vector<std::string> names_;
  std::mutex mutex_;
  std::vector<Variable> variables_;
};

absl::Status ShapesOfVariables(InferenceContext *context) {
  std::vector<tensorflow::PartialTensorShape> shapes;
  TF_RETURN_IF_ERROR(context->GetAttr("shapes", &shapes));
  for (size_t i = 0; i < shapes.size(); i++) {
    tensorflow::shape_inference::ShapeHandle shape;
    TF_RETURN_IF_ERROR(context->MakeShapeFromPartialTensorShape(shapes[i], &shape));
    context->set_output(static_cast<int>(i), shape);
  }
  return absl::OkStatus();
}

REGISTER_OP("PyramidalReadVariables")
    .Attr("names: list(string)")
    .Attr("shapes: list(shape)")
    .Attr("count: int >= 1")
    .Output("values: count * float")
    .SetIsStateful()
    .SetShapeFn(ShapesOfVariables);

REGISTER_KERNEL_BUILDER(Name("PyramidalReadVariables").Device(tensorflow::DEVICE_CPU), ReadVariables);

}  // namespace
}  // namespace pyramidal
