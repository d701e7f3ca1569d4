// What of TensorFlow's libraries is in memory.
#ifndef PYRAMIDAL_LIBRARY_PAGES_H_
#define PYRAMIDAL_LIBRARY_PAGES_H_

namespace pyramidal {

// Lets go of the code and the tables of TensorFlow's libraries; what is used comes back from the system's page cache.
void ReleaseLibraryPages();

}  // namespace pyramidal

#endif  // PYRAMIDAL_LIBRARY_PAGES_H_
