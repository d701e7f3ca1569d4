// The graph of a run as TensorFlow has rewritten it, for sessions that need not do so again.
#ifndef PYRAMIDAL_REWRITTEN_H_
#define PYRAMIDAL_REWRITTEN_H_

#include <string>
#include <vector>

#include "tensorflow/core/protobuf/config.pb.h"

namespace pyramidal {

// What a placeholder of the graph takes.
struct Feed;

struct Rewritten {
  // A GraphDef whose feeds are the placeholders that they were; empty where there is none.
  std::string graph;
  // Where the outputs of the run are now, as `node:output`.
  std::vector<std::string> fetches;
};

// Empty where more than one device takes part, or the run is not of the form that is known here.
Rewritten RewrittenOf(const tensorflow::RunMetadata &metadata, const std::vector<Feed> &feeds, size_t fetches);

}  // namespace pyramidal

#endif  // PYRAMIDAL_REWRITTEN_H_
