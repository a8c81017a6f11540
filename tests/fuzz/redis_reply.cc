// Replies of a Redis: read whole and octet by octet they are the same, and stop at the same place.
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "store/redis/facts.h"
#include "store/redis/reply.h"

using namespace stateway::store::redis;

namespace {

// Takes what is there; false once it is no RESP.
bool take(ReplyReader& reader, std::vector<Reply>& into) {
  for (;;) {
    auto reply = reader.next();
    if (!reply) return false;
    if (!*reply) return true;
    into.push_back(std::move(**reply));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (size > 4096) return 0;
  ReplyReader whole, slow;
  std::vector<Reply> at_once, one_by_one;
  whole.feed(input);
  const bool well = take(whole, at_once);
  bool still_well = true;
  for (std::size_t i = 0; i < size && still_well; ++i) {
    slow.feed(input.substr(i, 1));
    still_well = take(slow, one_by_one);
  }
  CHECK(well == still_well && at_once == one_by_one);
  (void)parse_info(input);
  return 0;
}
