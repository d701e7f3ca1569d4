// TensorFlow's own start-up messages ignore TF_CPP_MIN_LOG_LEVEL since it logs through Abseil. This sets Abseil's level
// from the same variable when the addon is loaded, which is before the addon creates its TensorFlow context.
#if __has_include("absl/log/globals.h")
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
#endif
