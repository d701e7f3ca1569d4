// TensorFlow's errors as exceptions of one line.
#ifndef PYRAMIDAL_CHECK_H_
#define PYRAMIDAL_CHECK_H_

#include <stdexcept>
#include <string>

#include "absl/status/status.h"

namespace pyramidal {

inline void Check(const absl::Status &status) {
  if (status.ok()) return;
  // TensorFlow adds the nodes around an error on lines of their own.
  const std::string message(status.message());
  throw std::runtime_error(message.substr(0, message.find('\n')));
}

}  // namespace pyramidal

#endif  // PYRAMIDAL_CHECK_H_
