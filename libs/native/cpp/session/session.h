// A graph in a session of TensorFlow, with runs that are prepared once.
#ifndef PYRAMIDAL_SESSION_H_
#define PYRAMIDAL_SESSION_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "rewritten.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/core/framework/tensor_shape.h"
#include "tensorflow/core/protobuf/config.pb.h"
#include "tensorflow/core/public/session.h"
#include "xla/tsl/platform/threadpool_options.h"

namespace pyramidal {

// What a placeholder of the graph takes.
struct Feed {
  std::string name;
  tensorflow::DataType dtype;
  tensorflow::PartialTensorShape shape;
};

struct RunNames {
  std::vector<std::string> feeds;
  std::vector<std::string> fetches;
  std::vector<std::string> targets;
  // Whether the run tells when each operation ran.
  bool traced;
  // Whether its first time tells how TensorFlow has rewritten its graph.
  bool rewritten;
};

// What a run gives.
struct RunResult {
  std::vector<tensorflow::Tensor> outputs;
  // Has step statistics where the run is traced.
  tensorflow::RunMetadata metadata;
  Rewritten rewritten;
};

// Every function throws std::runtime_error with one line that says what is wrong.
class GraphSession {
 public:
  // `config` is a ConfigProto and `graph` a GraphDef, both as bytes; `target` is empty or a server's address; `threads`
  // are those of the pools that the runs use, 0 for TensorFlow's own.
  GraphSession(const std::string &config, const std::string &target, const std::string &graph, int threads);
  ~GraphSession();
  GraphSession(const GraphSession &) = delete;
  GraphSession &operator=(const GraphSession &) = delete;

  // Finds the nodes of a run; returns its number.
  int Prepare(const RunNames &run);

  const std::vector<Feed> &FeedsOf(int run) const;

  RunResult Execute(int run, const std::vector<tensorflow::Tensor> &feeds);

 private:
  struct Prepared {
    tensorflow::Session::CallableHandle handle;
    std::vector<Feed> feeds;
    bool traced;
    // Until it was told.
    bool rewritten;
  };

  const Prepared &At(int run) const;

  std::unique_ptr<tensorflow::Session> session_;
  const tsl::thread::ThreadPoolOptions pools_;
  std::map<std::string, Feed> placeholders_;
  std::vector<Prepared> runs_;
};

}  // namespace pyramidal

#endif  // PYRAMIDAL_SESSION_H_
