#include "session/options.h"

namespace stateway::session {

std::string_view placement_name(Placement placement) {
  switch (placement) {
    case Placement::store:
      return "store";
    case Placement::instance:
      return "instance";
  }
  return "store";
}

}  // namespace stateway::session
