// A conversation through the gateway as a text: what clients and upstreams say, and what each of them must
// get. scripts/README.md is the language.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace stateway::scenario {

/// A part of what a peer must get.
struct Piece {
  enum class Kind : std::uint8_t {
    text,     // `text`, octet by octet
    any,      // one or more octets other than CR, up to the next piece
    date,     // an IMF-fixdate
    octets,   // `n` octets, whatever they are
    hop,      // the fields that say by whom a request was passed on, and its number of attempts
    problem,  // a whole answer of the gateway's own: status `n`, code `text`
    chunks,   // chunks of any sizes that together hold `text`, without the last one
  };
  Kind kind = Kind::text;
  std::string text;
  std::size_t n = 0;
  bool closes = false;    // problem: with Connection: close
  bool bodiless = false;  // problem: the answer to a HEAD
};

/// One line of the script, or some that belong together.
struct Step {
  enum class Kind : std::uint8_t {
    send,
    get,
    end,
    close,
    reset,
    see_end,
    see_reset,
    see_over,
    see_nothing,
    repeat
  };
  Kind kind = Kind::send;
  bool upstream = false;      // else a client
  unsigned connection = 1;    // which one of its side
  std::string octets;         // send
  bool ends = false;          // send: and end the sending side in the same segment
  std::vector<Piece> pieces;  // get
  std::size_t times = 0;      // repeat
  std::vector<Step> steps;    // repeat
  int line = 0;
};

/// Errors: invalid_argument, whose context begins with the line's number.
Result<std::vector<Step>> parse_script(std::string_view text);

/// Octets as a script writes them, cut when they are many: for messages.
std::string shown(std::string_view octets);

}  // namespace stateway::scenario
