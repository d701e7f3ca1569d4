// What has to be decided before TensorFlow's shared objects initialise; linked with `-z initfirst`.
#include <dirent.h>
#include <dlfcn.h>

#include <cstdlib>
#include <string>

#include "absl/base/log_severity.h"
#include "absl/log/globals.h"

namespace {

// TensorFlow reports on oneDNN while it initialises, and logs through Abseil, which does not know TF_CPP_MIN_LOG_LEVEL.
// Abseil's level is a plain atomic that may be set before any constructor has run.
void SetLogLevel() {
  const char *level = std::getenv("TF_CPP_MIN_LOG_LEVEL");
  if (level != nullptr) absl::SetMinLogLevel(static_cast<absl::LogSeverityAtLeast>(std::atoi(level)));
}

// On cards TensorFlow loads CUDA's libraries by name, from the folders that its `libtensorflow_framework` names. That of cuSOLVER's
// wheel is not among them (2.21), and without it no card is used; a library that is loaded already is found by its name. Where there
// are no wheels there is nothing to load here, and what is missing elsewhere TensorFlow tells.
void LoadCusolver() {
  const std::string folder = PYRAMIDAL_TENSORFLOW "/../nvidia/cusolver/lib/";
  DIR *const files = opendir(folder.c_str());
  if (files == nullptr) return;
  while (const dirent *const file = readdir(files)) {
    const std::string name = file->d_name;
    if (name.rfind("libcusolver.so.", 0) == 0) dlopen((folder + name).c_str(), RTLD_NOW);
  }
  closedir(files);
}

struct Early {
  Early() {
    SetLogLevel();
    // The engine for processors hides the cards.
    const char *cards = std::getenv("CUDA_VISIBLE_DEVICES");
    if (cards == nullptr || std::string(cards) != "-1") LoadCusolver();
  }
} early;

}  // namespace
