// What has to be decided before TensorFlow's shared objects initialise; linked with `-z initfirst`.
#include <malloc.h>

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

// A training step takes its memory in one thread and frees it in another: glibc's heap for each thread then holds on to
// what the others need, up to a tenth of all.
void ShareHeap() {
#ifdef M_ARENA_MAX
  if (std::getenv("MALLOC_ARENA_MAX") == nullptr) mallopt(M_ARENA_MAX, 1);
#endif
}

struct Early {
  Early() {
    SetLogLevel();
    ShareHeap();
  }
} early;

}  // namespace
