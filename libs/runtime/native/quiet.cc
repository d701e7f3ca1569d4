// TensorFlow reports on oneDNN while its shared object initialises, and logs through Abseil, which does not know
// TF_CPP_MIN_LOG_LEVEL. This hands Abseil the level first: it is linked with `-z initfirst`, and the level is a plain
// atomic that may be set before any constructor has run.
#include <cstdlib>

#include "absl/base/log_severity.h"
#include "absl/log/globals.h"

namespace {

struct Quiet {
  Quiet() {
    const char *level = std::getenv("TF_CPP_MIN_LOG_LEVEL");
    if (level != nullptr) absl::SetMinLogLevel(static_cast<absl::LogSeverityAtLeast>(std::atoi(level)));
  }
} quiet;

}  // namespace
