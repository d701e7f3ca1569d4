#include "session.h"

#include <stdexcept>

#include "check.h"
#include "tensorflow/core/framework/attr_value.pb.h"
#include "tensorflow/core/framework/graph.pb.h"
#include "tensorflow/core/framework/node_def.pb.h"
#include "tensorflow/core/public/session_options.h"
#include "threads.h"

namespace pyramidal {
namespace {

using tensorflow::Tensor;

std::string NodeOf(const std::string &ref) { return ref.substr(0, ref.find(':')); }

void CheckFeed(const Feed &feed, const Tensor &tensor) {
  if (tensor.dtype() == feed.dtype && feed.shape.IsCompatibleWith(tensor.shape())) return;
  throw std::runtime_error(feed.name + ": expected " + tensorflow::DataTypeString(feed.dtype) +
                           feed.shape.DebugString() + ", received " + tensorflow::DataTypeString(tensor.dtype()) +
                           tensor.shape().DebugString());
}

}  // namespace

GraphSession::GraphSession(const std::string &config, const std::string &target, const std::string &graph, int threads)
    : pools_(target.empty() ? PoolsOf(threads) : tsl::thread::ThreadPoolOptions()) {
  tensorflow::SessionOptions options;
  options.target = target;
  if (!options.config.ParseFromString(config)) throw std::runtime_error("the session's options are no ConfigProto");
  tensorflow::GraphDef nodes;
  if (!nodes.ParseFromString(graph)) throw std::runtime_error("the graph is no GraphDef");
  for (const tensorflow::NodeDef &node : nodes.node()) {
    if (node.op() != "Placeholder") continue;
    const auto &attrs = node.attr();
    const auto dtype = attrs.find("dtype");
    const auto shape = attrs.find("shape");
    if (dtype == attrs.end() || shape == attrs.end()) continue;
    placeholders_[node.name()] = {node.name(), dtype->second.type(),
                                  tensorflow::PartialTensorShape(shape->second.shape())};
  }
  tensorflow::Session *session = nullptr;
  Check(tensorflow::NewSession(options, &session));
  session_.reset(session);
  Check(session_->Create(std::move(nodes)));
}

GraphSession::~GraphSession() {
  if (session_ == nullptr) return;
  for (const Prepared &run : runs_) session_->ReleaseCallable(run.handle).IgnoreError();
  session_->Close().IgnoreError();
}

int GraphSession::Prepare(const RunNames &run) {
  tensorflow::CallableOptions options;
  Prepared prepared;
  for (const std::string &ref : run.feeds) {
    options.add_feed(ref);
    const auto found = placeholders_.find(NodeOf(ref));
    if (found == placeholders_.end()) throw std::runtime_error("the graph has no placeholder '" + ref + "'");
    prepared.feeds.push_back(found->second);
  }
  for (const std::string &ref : run.fetches) options.add_fetch(ref);
  for (const std::string &node : run.targets) options.add_target(node);
  if (run.traced) options.mutable_run_options()->set_trace_level(tensorflow::RunOptions::FULL_TRACE);
  if (run.rewritten) options.mutable_run_options()->set_output_partition_graphs(true);
  prepared.traced = run.traced;
  prepared.rewritten = run.rewritten;
  Check(session_->MakeCallable(options, &prepared.handle));
  runs_.push_back(std::move(prepared));
  return static_cast<int>(runs_.size()) - 1;
}

const std::vector<Feed> &GraphSession::FeedsOf(int run) const { return At(run).feeds; }

RunResult GraphSession::Execute(int run, const std::vector<Tensor> &feeds) {
  const Prepared &prepared = At(run);
  if (feeds.size() != prepared.feeds.size()) {
    throw std::runtime_error("expected " + std::to_string(prepared.feeds.size()) + " tensors, received " +
                             std::to_string(feeds.size()));
  }
  for (size_t i = 0; i < feeds.size(); i++) CheckFeed(prepared.feeds[i], feeds[i]);
  RunResult result;
  tensorflow::RunMetadata *const metadata = prepared.traced || prepared.rewritten ? &result.metadata : nullptr;
  const bool hasPools = pools_.inter_op_threadpool != nullptr;
  Check(hasPools ? session_->RunCallable(prepared.handle, feeds, &result.outputs, metadata, pools_)
                 : session_->RunCallable(prepared.handle, feeds, &result.outputs, metadata));
  if (prepared.rewritten) {
    result.rewritten = RewrittenOf(result.metadata, prepared.feeds, result.outputs.size());
    runs_[run].rewritten = false;
  }
  return result;
}

const GraphSession::Prepared &GraphSession::At(int run) const {
  if (run >= 0 && static_cast<size_t>(run) < runs_.size()) return runs_[run];
  throw std::runtime_error("the session has no run " + std::to_string(run));
}

}  // namespace pyramidal
