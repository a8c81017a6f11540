// Chunked bodies: however the octets are cut into reads, the decoder must say the same, and what it says must
// survive being encoded again. The first octet chooses the size of the pieces.
#include <algorithm>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "http/body_decoder.h"
#include "http/writer.h"

using namespace stateway;
using namespace stateway::http;

namespace {

constexpr BodyLimits kLimits{.chunk_line_bytes_max = 64, .trailer_bytes_max = 256, .trailer_fields_max = 8};

struct Outcome {
  std::string data;
  std::string encoded_again;
  std::size_t consumed = 0;
  bool done = false;
  bool failed = false;
  Trailers trailers;
};

Outcome decode(std::string_view input, std::size_t piece, BodyLimits limits) {
  BodyDecoder decoder({.kind = Framing::Kind::chunked}, Side::client, limits);
  Outcome out;
  std::size_t have = std::min(piece, input.size());
  while (!decoder.done()) {
    const auto step = decoder.next(input.substr(out.consumed, have - out.consumed));
    if (!step) {
      out.failed = true;
      return out;
    }
    CHECK(step->consumed <= have - out.consumed && step->data.size() <= step->consumed);
    CHECK(step->done == decoder.done());
    out.consumed += step->consumed;
    out.data += step->data;
    if (!step->data.empty()) {
      out.encoded_again += ChunkHeader(step->data.size()).view();
      out.encoded_again.append(step->data).append(kChunkEnd);
    } else {
      CHECK(step->done || out.consumed == have);
    }
    if (out.consumed < have) continue;
    if (have == input.size()) break;
    have = std::min(have + piece, input.size());
  }
  out.done = decoder.done();
  out.trailers = decoder.trailers();
  CHECK(decoder.finish_at_eof().has_value() == out.done);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t piece = 1u + data[0] % 16u;
  const std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  const Outcome whole = decode(input, input.size(), kLimits);
  const Outcome cut = decode(input, piece, kLimits);
  CHECK(whole.failed == cut.failed && whole.data == cut.data);
  if (whole.failed) return 0;
  CHECK(whole.done == cut.done && whole.consumed == cut.consumed && whole.trailers == cut.trailers);
  if (!whole.done) return 0;

  for (const Outcome* first : {&whole, &cut}) {
    std::string encoded = first->encoded_again;
    append_last_chunk(encoded, first->trailers);
    const Outcome again = decode(encoded, encoded.size(), {});
    CHECK(again.done && again.consumed == encoded.size());
    CHECK(again.data == whole.data && again.trailers == whole.trailers);
  }
  return 0;
}
