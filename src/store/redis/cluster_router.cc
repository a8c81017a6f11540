#include "store/redis/cluster_router.h"

#include <algorithm>
#include <set>
#include <utility>

namespace stateway::store::redis {
namespace {

const std::string kAsking = format_command({"ASKING"});
const std::string kClusterSlots = format_command({"CLUSTER", "SLOTS"});

enum class Advice : std::uint8_t {
  done,       // it is the answer, if only an error
  redirect,   // MOVED, ASK
  later,      // the same server will do it soon
  elsewhere,  // another server does it now, or will
};

Advice advice_of(const Reply& reply) {
  static constexpr struct {
    std::string_view word;
    Advice advice;
  } kErrors[] = {
      {"MOVED", Advice::redirect},        {"ASK", Advice::redirect},
      {"TRYAGAIN", Advice::later},         // a slot on its way: keys of one command are at both ends
      {"NOREPLICAS", Advice::later},       // min-replicas-to-write
      {"CLUSTERDOWN", Advice::elsewhere},  // it sees too few masters, or nobody serves the slot
  };
  if (is_refusal(reply)) return Advice::elsewhere;
  for (const auto& known : kErrors)
    if (says(reply, known.word)) return known.advice;
  return Advice::done;
}

}  // namespace

struct ClusterRouter::Node final : private ServerCheck {
  Node(ClusterTopology& t, io::Loop& loop, io::Network& network, const Address& at)
      : topology(t),
        address(at),
        dialer(network, at, t.access().tls),
        link(loop, dialer, t.access(), *this, t.random()) {}
  Result<void> check(const ServerFacts& facts) override { return topology.greeted(address, facts); }

  ClusterTopology& topology;
  const Address address;
  AddressDialer dialer;
  ServerLink link;
};

/// One look at the cluster: over, whatever becomes of who looks.
class ClusterRouter::Refreshing {
 public:
  Refreshing(ClusterTopology& topology, io::Loop& loop) : topology_(topology), loop_(loop) {}
  Refreshing(const Refreshing&) = delete;
  Refreshing& operator=(const Refreshing&) = delete;
  ~Refreshing() {
    if (!published_) topology_.give_up(loop_.now());
  }
  void publish(SlotMap map) {
    published_ = true;
    topology_.publish(std::move(map), loop_.now());
  }

 private:
  ClusterTopology& topology_;
  io::Loop& loop_;
  bool published_ = false;
};

struct ClusterRouter::Errand {
  Request request;
  Slot slot = 0;
  std::optional<Redirect> redirect{};
  unsigned hops = 0;  // in a row
  unsigned pauses = 0;
  bool maybe_done = false;
  Answer answer{};
  std::string trouble = "no time left";  // what went wrong last
};

ClusterRouter::ClusterRouter(io::Loop& loop, io::Network& network, ClusterTopology& topology)
    : loop_(loop), network_(network), topology_(topology), map_(topology.map()), refreshed_(loop) {}

ClusterRouter::~ClusterRouter() = default;

const SlotMap& ClusterRouter::map() {
  if (const auto version = topology_.version(); version != map_version_) {
    map_ = topology_.map();
    map_version_ = version;
  }
  return *map_;
}

std::shared_ptr<ClusterRouter::Node> ClusterRouter::node_at(const Address& address) {
  auto& node = nodes_[to_string(address)];
  if (!node) node = std::make_shared<Node>(topology_, loop_, network_, address);
  return node;
}

io::Task<Result<Answer>> ClusterRouter::ask(Request request, TimePoint deadline) {
  const Slot slot = slot_of(request.key);
  Errand errand{.request = std::move(request), .slot = slot};
  while (loop_.now() < deadline) {
    if (co_await attempt(errand, deadline)) co_return std::move(errand.answer);
    if (errand.maybe_done && !errand.request.repeatable) break;
    if (errand.redirect && ++errand.hops <= kHopsMax) continue;
    errand.hops = 0;
    const Duration pause = std::min(kPauseMax, kPauseMin * (1u << std::min(errand.pauses++, 10u)));
    const auto half = static_cast<std::uint64_t>(pause.count() / 2);
    const TimePoint until = loop_.now() + Duration(half + topology_.random().below(half));
    (void)co_await refreshed_.wait(std::min(deadline, until));
  }
  co_return fail(Code::store_unavailable, Side::store, std::move(errand.trouble),
                 errand.maybe_done ? Retry::never : Retry::always);
}

io::Task<bool> ClusterRouter::attempt(Errand& errand, TimePoint deadline) {
  const auto redirect = std::exchange(errand.redirect, std::nullopt);
  const Address* const owner = redirect ? &redirect->to : map().owner(errand.slot);
  if (owner == nullptr) {
    errand.trouble =
        map_->masters() == 0 ? no_map_.context : "nobody serves slot " + std::to_string(errand.slot);
    refresh_soon();
    co_return false;
  }
  const std::shared_ptr<Node> node = node_at(*owner);
  const Request& request = errand.request;
  Connection& connection = node->link.connection(request.key, request.waits);
  const bool asking = redirect && redirect->ask;
  std::string octets = asking ? kAsking + request.command : request.command;
  auto reply =
      co_await send(loop_, connection, std::move(octets), deadline, request.replies + (asking ? 1 : 0));
  if (!reply) {
    errand.trouble = reply.error().context;
    errand.maybe_done = errand.maybe_done || reply.error().retry != Retry::always;
    refresh_soon();
    co_return false;
  }
  if (asking && reply->kind == Reply::Kind::array && !reply->elements.empty()) {
    reply->elements.erase(reply->elements.begin());
    if (request.replies == 1) reply = Reply(std::move(reply->elements.front()));
  }
  co_return judge(errand, *node, server_number(connection.facts().run_id), std::move(*reply));
}

bool ClusterRouter::judge(Errand& errand, const Node& node, std::uint64_t server, Reply reply) {
  const Reply& first = first_of(reply);
  const Advice advice = errand.request.replies == 1 ? advice_of(reply) : advice_of(first);
  if (advice == Advice::done) {
    errand.answer = Answer{.reply = std::move(reply), .server = server};
    return true;
  }
  const std::string& said = errand.request.replies == 1 ? reply.text : first.text;
  errand.trouble = node.dialer.name() + ": " + said;
  if (advice == Advice::redirect) errand.redirect = parse_redirect(said, node.address);
  const auto& redirect = errand.redirect;
  if (redirect && !redirect->ask) topology_.moved(redirect->slot, redirect->to);
  const bool map_is_right = advice == Advice::later || (redirect && redirect->ask);
  if (!map_is_right) refresh_soon();
  return false;
}

// A node that cannot be reached at once may be dead. Who waits for it here looks at the map from time to time
// and sees another owner, which no connection would tell.
io::Task<Result<Reply>> ClusterRouter::send(io::Loop& loop, Connection& connection, std::string command,
                                            TimePoint deadline, unsigned replies) {
  if (!connection.connected()) {
    const auto ready = co_await connection.ready(std::min(deadline, loop.now() + kConnectPatience));
    if (!ready) co_return fail(ready.error().code, Side::store, ready.error().context, Retry::always);
  }
  co_return co_await connection.call(std::move(command), deadline, replies);
}

io::Task<Result<void>> ClusterRouter::ready(TimePoint deadline) {
  while (map().masters() == 0 && loop_.now() < deadline) {
    refresh_soon();
    (void)co_await refreshed_.wait(std::min(deadline, loop_.now() + kPauseMax));
    if (no_map_.code == Code::invalid_argument) break;  // waiting does not help
  }
  const auto present = topology_.map();
  if (present->masters() == 0) {
    Error why = no_map_;
    if (why.code != Code::invalid_argument) why.code = Code::store_unavailable;
    co_return std::unexpected<Error>(std::move(why));
  }
  for (std::size_t i = 0; i < present->masters(); ++i) {
    const auto node = node_at(present->nodes()[i]);
    if (auto ready = co_await node->link.ready(deadline); !ready) co_return ready;
  }
  co_return Result<void>();
}

void ClusterRouter::refresh_soon() {
  if (topology_.begin_refresh(loop_.now())) refreshes_.spawn(refresh());
}

io::Task<void> ClusterRouter::refresh() {
  Refreshing refreshing(topology_, loop_);
  const auto witnesses = topology_.witnesses();
  for (const Address& witness : witnesses) {
    const auto node = node_at(witness);
    Connection& connection = node->link.connection({}, false);
    const TimePoint deadline = loop_.now() + kWitnessPatience;
    const auto reply = co_await send(loop_, connection, kClusterSlots, deadline, 1);
    auto read =
        reply ? SlotMap::read(*reply, witness) : Result<SlotMap>(std::unexpected<Error>(reply.error()));
    if (!read) {
      no_map_ = read.error();
      if (no_map_.code != Code::invalid_argument) no_map_.code = Code::store_unavailable;
      if (reply) no_map_.context = node->dialer.name() + ": " + no_map_.context;
      continue;
    }
    refreshing.publish(std::move(*read));
    forget_nodes();
    break;
  }
  refreshed_.wake_all();
}

/// Nodes of addresses that nobody names any more, and that no request waits for.
void ClusterRouter::forget_nodes() {
  std::set<std::string> known;
  for (const Address& node : topology_.witnesses()) known.insert(to_string(node));
  std::erase_if(nodes_, [&](const auto& entry) {
    return entry.second.use_count() == 1 && !known.contains(entry.first);
  });
}

}  // namespace stateway::store::redis
