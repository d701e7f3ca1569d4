// A server of TensorFlow in this process, through which the processes of a cluster compute together.
#ifndef PYRAMIDAL_SERVER_H_
#define PYRAMIDAL_SERVER_H_

#include <string>

namespace pyramidal {

// Starts a server from the bytes of a ServerDef and returns the address for sessions. It runs as long as the process:
// TensorFlow's gRPC servers cannot be stopped. Throws std::runtime_error, such as when the port is taken.
std::string StartServer(const std::string &definition);

}  // namespace pyramidal

#endif  // PYRAMIDAL_SERVER_H_
