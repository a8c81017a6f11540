#include "gateway/exchange.h"

#include "gateway/body_pump.h"
#include "gateway/on_loop.h"

namespace stateway::gateway {

Answer::Answer(upstream::Lease l) : lease(std::move(l)) {}
Answer::~Answer() = default;

Exchange::Exchange(OnLoop& loop, Client& c)
    : on(loop), on_config(loop.config), config(on_config->snapshot.get()), client(c) {}

upstream::ServiceOnLoop& Exchange::service() const { return *on_config->services[use->service]; }

}  // namespace stateway::gateway
