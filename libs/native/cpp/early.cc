// What has to be decided before TensorFlow's shared objects initialise; linked with `-z initfirst`.
#include <cstdlib>

#include "absl/base/log_severity.h"
#include "absl/log/globals.h"

namespace {

// TensorFlow reports on oneDNN while it initialises, and logs through Abseil, which does not know TF_CPP_MIN_LOG_LEVEL.
// Abseil's level is a plain atomic that may be set before any constructor has run.
void SetLogLevel() {
  const char *level = std::getenv("TF_CPP_MIN_LOG_LEVEL");
  if (level != nullptr) absl::SetMinLogLevel(static_cast<absl::LogSeverityAtLeast>(std::atoi(level)));
}

struct Early {
  Early() { SetLogLevel(); }
} early;

}  // namespace
