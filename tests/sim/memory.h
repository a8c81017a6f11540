// The documents that a simulated process holds (placement "hybrid").
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace stateway::sim {

/// How a service holds documents.
enum class Holding : unsigned char {
  plainly,    // one token for the process, the last document of each session: what the protocol asks for
  carefully,  // each document has a token of its own: right with any number of gateways, whatever they forget
  blindly,    // a mistake: what is held counts, whatever version was meant
};

/// Dies with its process.
class Memory {
 public:
  Memory(std::string token, Holding holding) : token_(std::move(token)), holding_(holding) {}

  /// The document of a session that is said to be held; nullopt: it is not.
  std::optional<std::string> find(const std::string& session, std::uint64_t version,
                                  std::string_view held) const;
  /// Keeps it. Returns the token to be told.
  std::string keep(const std::string& session, std::uint64_t version, std::string document);
  void forget(const std::string& session) { documents_.erase(session); }

 private:
  struct Kept {
    std::uint64_t version = 0;
    std::string document;
    std::string token;
  };
  std::string token_;
  Holding holding_;
  unsigned drawn_ = 0;
  std::map<std::string, Kept> documents_;
};

/// The document that a patch makes, as the gateway makes it; nullopt: it does not apply.
std::optional<std::string> patched(std::string_view document, std::string_view patch);

}  // namespace stateway::sim
