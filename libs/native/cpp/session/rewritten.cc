#include "rewritten.h"

#include <map>

#include "session.h"
#include "tensorflow/core/framework/attr_value.pb.h"
#include "tensorflow/core/framework/graph.pb.h"
#include "tensorflow/core/framework/node_def.pb.h"

namespace pyramidal {
namespace {

using tensorflow::NodeDef;

// TensorFlow takes what a run is fed, and gives what it fetches, through nodes of these operations; names of nodes that
// begin with `_` are its own, and no graph that is given to a session may have them.
constexpr char kTaken[] = "_Arg";
constexpr char kGiven[] = "_Retval";

size_t IndexOf(const NodeDef &node) {
  const auto index = node.attr().find("index");
  return index == node.attr().end() ? SIZE_MAX : static_cast<size_t>(index->second.i());
}

NodeDef PlaceholderOf(const Feed &feed) {
  NodeDef placeholder;
  placeholder.set_name(feed.name);
  placeholder.set_op("Placeholder");
  (*placeholder.mutable_attr())["dtype"].set_type(feed.dtype);
  feed.shape.AsProto((*placeholder.mutable_attr())["shape"].mutable_shape());
  return placeholder;
}

// An input under the new name of its node: `node`, `node:output` or `^node`.
std::string Renamed(const std::string &input, const std::map<std::string, std::string> &names) {
  const size_t start = input[0] == '^' ? 1 : 0;
  const size_t end = input.find(':', start);
  const auto name = names.find(input.substr(start, end == std::string::npos ? end : end - start));
  if (name == names.end()) return input;
  return input.substr(0, start) + name->second + (end == std::string::npos ? "" : input.substr(end));
}

}  // namespace

Rewritten RewrittenOf(const tensorflow::RunMetadata &metadata, const std::vector<Feed> &feeds, size_t fetches) {
  if (metadata.partition_graphs_size() != 1) return {};
  tensorflow::GraphDef graph = metadata.partition_graphs(0);
  std::map<std::string, std::string> names;
  for (const NodeDef &node : graph.node()) {
    const size_t index = IndexOf(node);
    if (node.op() == kTaken && index < feeds.size()) names[node.name()] = feeds[index].name;
  }
  Rewritten result;
  result.fetches.resize(fetches);
  tensorflow::GraphDef kept;
  *kept.mutable_versions() = graph.versions();
  *kept.mutable_library() = graph.library();
  for (const Feed &feed : feeds) *kept.add_node() = PlaceholderOf(feed);
  for (NodeDef &node : *graph.mutable_node()) {
    const size_t index = IndexOf(node);
    for (std::string &input : *node.mutable_input()) input = Renamed(input, names);
    if (node.op() == kTaken && index < feeds.size()) continue;
    if (node.op() == kGiven && index < fetches) {
      const std::string &input = node.input(0);
      result.fetches[index] = input.find(':') == std::string::npos ? input + ":0" : input;
    } else if (node.name()[0] == '_') {
      return {};
    } else {
      kept.add_node()->Swap(&node);
    }
  }
  for (const std::string &fetch : result.fetches) {
    if (fetch.empty()) return {};
  }
  kept.SerializeToString(&result.graph);
  return result;
}

}  // namespace pyramidal
