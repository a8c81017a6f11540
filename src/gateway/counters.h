// What the gateway counts, for /v1/status and later /metrics. Shared by all loops; relaxed atomics.
#pragma once

#include <atomic>
#include <cstdint>

namespace stateway::gateway {

struct Counters {
  using Count = std::atomic<std::uint64_t>;
  Count connections{0};  // open now
  Count connections_total{0};
  Count handshakes_failed{0};  // TLS: clients that did not come so far as to ask something
  Count exchanges{0};          // in flight now
  Count exchanges_total{0};
  Count retries{0};       // attempts beyond the first
  Count problems{0};      // answers the gateway made itself
  Count client_gone{0};   // exchanges abandoned because their client hung up
  Count overlaps{0};      // patches that overwrote a newer value (overlap = "last")
  Count reruns{0};        // exchanges run again because their patch overlapped
  Count lane_waiting{0};  // exchanges that wait for their session's lane now (lane = "serial")
  Count lane_refused{
      0};  // answers 503 lane-full: exchanges or commits that found no place, or waited too long
  Count documents_spared{0};        // requests whose process held the document (placement hybrid)
  Count document_octets_spared{0};  // of those documents
  Count documents_needed{0};        // such requests that went once more, with the document
  Count patches_ignored{0};         // Stateway-* found in interim responses or trailers
};

}  // namespace stateway::gateway
