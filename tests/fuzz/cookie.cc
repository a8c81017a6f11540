// Session cookies' values, and the records their ids lead to.
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "session/record.h"
#include "session/ticket.h"

using namespace stateway;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  // A ticket has one spelling only.
  if (const auto ticket = session::parse_ticket(input)) {
    CHECK(ticket->text() == input && input.starts_with(ticket->id_text()));
    CHECK(base64url_encode(as_bytes(ticket->id())) == ticket->id_text());
    CHECK(session::secret_hash(*ticket).size() == 32);
  }
  if (const auto record = session::decode_record(input)) CHECK(session::encode_record(*record) == input);
  return 0;
}
