#include "gateway/exchange.h"

#include "gateway/body_pump.h"
#include "gateway/on_loop.h"

namespace stateway::gateway {

Answer::Answer(upstream::Lease l) : lease(std::move(l)) {}
Answer::~Answer() = default;

void Answer::finish() {
  const bool request_over = !pump || pump->done();
  const bool reusable = request_over && http::keep_alive(head) && head.status != 101 &&
                        framing.kind != http::Framing::Kind::until_close;
  connection->reader().finish_message();
  if (reusable) lease.give_back(std::move(connection));
}

Exchange::Exchange(OnLoop& loop, Client& c)
    : on(loop), config(loop.config->snapshot), on_config(loop.config), client(c) {}

}  // namespace stateway::gateway
