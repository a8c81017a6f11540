// A disk that is soon full, or takes nothing: a file system in memory that only this test's process and those
// it starts can see, so that nothing of it is left however the test ends.
#pragma once

#include <cstddef>
#include <string>

namespace stateway::scenario {

class SmallDisk {
 public:
  /// Mounts it at the directory `at`, which exists. Whether that was allowed: `mounted`.
  SmallDisk(std::string at, std::size_t mebibytes);
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return why_not_.empty(); }
  /// Why it is not: this machine's word for it.
  const std::string& why_not() const { return why_not_; }

  /// Takes what is free but for `octets`, in a file of its own; 0: all of it.
  void fill(std::size_t octets = 0);
  /// Gives that back.
  void make_room();
  /// From now on nothing can be written to it. Nobody may have a file of it open for writing.
  void make_read_only();

 private:
  std::string at_;
  std::string why_not_;
};

}  // namespace stateway::scenario
