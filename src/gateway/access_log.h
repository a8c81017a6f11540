// One line per exchange.
#pragma once

#include "gateway/exchange.h"

namespace stateway::gateway {

/// Status 499 (nginx's number) where the client went before there was an answer.
void log_exchange(const Exchange& x);

}  // namespace stateway::gateway
