#include "gateway/access_log.h"

#include <vector>

#include "base/log.h"
#include "gateway/on_loop.h"
#include "gateway/problem.h"
#include "io/tls_stream.h"

namespace stateway::gateway {

void log_exchange(const Exchange& x) {
  constexpr int kClientGone = 499;
  std::vector<log::Field> fields = {
      {"request", x.id},
      {"client", x.client.peer},
      {"method", x.request.method_text},
      {"host", x.host},
      {"path", x.target.path()},
      {"status", x.status == 0 ? kClientGone : x.status},
      {"in", x.body_bytes},
      {"out", x.bytes_out},
      {"ms", std::chrono::duration<double, std::milli>(x.on.loop.now() - x.started).count()},
  };
  if (x.client.tls != nullptr) fields.emplace_back("tls", x.client.tls->version());
  if (!x.instance.empty()) fields.emplace_back("instance", x.instance);
  if (x.attempts > 1) fields.emplace_back("attempts", x.attempts);
  if (x.session) fields.emplace_back("session", x.session->ticket.id_text());
  if (x.error) {
    fields.emplace_back("problem", code_name(x.error->code));
    fields.emplace_back("detail", x.error->context);
  }
  const log::Level level = x.error ? problem_row(x.error->code).level : log::Level::info;
  log::write(level, "exchange", fields);
}

}  // namespace stateway::gateway
