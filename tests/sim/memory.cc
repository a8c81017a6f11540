#include "memory.h"

#include <fmt/format.h>

#include "session/rebase.h"

namespace stateway::sim {

std::optional<std::string> Memory::find(const std::string& session, std::uint64_t version,
                                        std::string_view held) const {
  const auto at = documents_.find(session);
  if (at == documents_.end() || at->second.token != held) return std::nullopt;
  if (at->second.version != version && holding_ != Holding::blindly) return std::nullopt;
  return at->second.document;
}

std::string Memory::keep(const std::string& session, std::uint64_t version, std::string document) {
  std::string token = holding_ == Holding::carefully ? fmt::format("{}.{}", token_, ++drawn_) : token_;
  documents_[session] = {version, std::move(document), token};
  return token;
}

std::optional<std::string> patched(std::string_view document, std::string_view patch) {
  session::PatchSet patches;
  if (!patches.add_body(patch)) return std::nullopt;
  auto made = session::rebase(patches, {1, document}, {1, document}, session::Overlap::last, {});
  if (!made) return std::nullopt;
  return std::move(made->document);
}

}  // namespace stateway::sim
