#include "config/sections.h"

namespace stateway::config {

store::StoreOptions read_store(const Section& section) {
  store::StoreOptions options;
  section.read("kind", options.kind);
  section.read("durability", options.durability);
  section.read("memory", options.memory_bytes_max);
  section.read("sessions_max", options.sessions_max);
  if (const auto path = section.text("path")) {
    options.path = path->value;
    if (options.path.empty() || options.path.find('\0') != std::string::npos)
      section.problem("path", "path must name a directory");
  }
  if (options.kind == store::Kind::memory) {
    for (const std::string_view key : {"path", "memory"})
      if (section.has(key))
        section.problem(key, std::string(key) + " is for kind = \"embedded\"; kind is \"memory\"");
    if (section.has("durability") && options.durability != store::Durability::memory)
      section.problem("durability",
                      "kind = \"memory\" survives nothing: use durability = \"memory\" or leave it out");
    options.durability = store::Durability::memory;
  }
  return options;
}

}  // namespace stateway::config
