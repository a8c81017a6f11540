#include "gateway/exchange.h"

#include "gateway/body_pump.h"
#include "gateway/on_loop.h"

namespace stateway::gateway {

Answer::Answer(upstream::Lease l) : lease(std::move(l)) {}
Answer::~Answer() = default;

Exchange::Exchange(OnLoop& loop, Client& c)
    : on(loop), config(loop.config->snapshot), on_config(loop.config), client(c) {}

}  // namespace stateway::gateway
