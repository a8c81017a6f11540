#include "rig.h"

namespace stateway::sim {

namespace {

config::Config adjusted(std::string_view toml, void (*adjust)(config::Config&)) {
  config::Config out = configuration(std::string(kSite) + std::string(toml));
  if (adjust != nullptr) adjust(out);
  return out;
}

}  // namespace

Rig::Rig(std::string_view toml, void (*adjust)(config::Config&))
    : config(adjusted(toml, adjust)),
      gateway(std::make_unique<Gateway>(Ground{loop, front, clock, random, store}, config)) {}

io::Task<std::unique_ptr<Peer>> Rig::connect(bool reads) {
  auto stream = co_await outside.connect(kFrontDoor, loop.now() + 1s);
  CHECK(stream.has_value());
  co_return std::make_unique<Peer>(std::move(*stream), reads);
}

io::Task<std::unique_ptr<Peer>> Rig::ask(std::string octets, bool reads) {
  auto peer = co_await connect(reads);
  co_await peer->send(std::move(octets));
  co_return peer;
}

}  // namespace stateway::sim
