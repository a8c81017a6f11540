#include "store/outage/owner.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>

#include "store/outage/journal.h"

namespace stateway::store::outage {
namespace {

std::string file_in(const std::string& folder) { return folder + "/STORE"; }

}  // namespace

std::string read_owner(const std::string& folder) {
  std::ifstream in(file_in(folder), std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

Result<void> write_owner(const std::string& folder, const std::string& store) {
  const std::string next = file_in(folder) + ".next";
  std::ofstream out(next, std::ios::binary | std::ios::trunc);
  out << store << std::flush;
  std::error_code error;
  if (out) std::filesystem::rename(next, file_in(folder), error);
  if (out && !error) return {};
  return fail(Code::io, Side::self, "cannot write to the journal's folder " + folder);
}

std::size_t pending_in(const std::string& folder) {
  std::error_code none;
  if (!std::filesystem::exists(folder + "/LOCK", none)) return 0;
  using Id = std::pair<std::uint64_t, std::uint64_t>;
  std::set<Id> intents, settled;
  const auto opened = Journal::open({.folder = folder, .bytes_max = 1u << 20},
                                    [&](const Journal::At& at, JournalEntry entry) {
                                      const Id id{entry.batch.id.gateway, entry.batch.id.sequence};
                                      if (entry.what >= What::done)
                                        settled.insert(id);
                                      else if (!at.acknowledged)
                                        intents.insert(id);
                                    });
  if (!opened) return 0;
  for (const Id& id : settled) intents.erase(id);
  return intents.size();
}

}  // namespace stateway::store::outage
