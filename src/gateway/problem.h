// The one table from what went wrong to what the client, the log and the metrics see.
#pragma once

#include <string_view>

#include "base/error.h"
#include "base/log.h"

namespace stateway::gateway {

struct ProblemRow {
  Code code;
  int status;              // 0: nobody is there to be answered
  std::string_view title;  // for people; the type is urn:stateway:problem:<code_name>
  log::Level level;
  bool retry_after;    // trying again can help
  bool shows_context;  // the error's context is about the client's own message, so it may be the detail
};

/// The row of `code`; a test proves that there is one for each.
const ProblemRow& problem_row(Code code);

}  // namespace stateway::gateway
