// One seed of the soak: gateways, instances, clients and a store, what happens to them, and whether all that
// must hold has held.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace stateway::sim {

/// Mistakes that the soak must find: made by the test around the gateway, never in it.
enum class Bug : unsigned char {
  none,
  commit_after_response,  // a commit is acknowledged before it is durable
  lost_on_conflict,       // a commit that met another one is taken for done
  applied_twice,          // a patch is applied twice
  wrong_document,         // a session is given another one's document
  undead,                 // an ended session lives on
  sent_twice,             // unsafe requests go to another instance whatever their route says
  hang,                   // a load never answers
  held_blindly,           // a process takes what it holds for the version that was meant
};

/// By name; kBugs holds all but none.
std::string_view bug_name(Bug bug);
inline constexpr Bug kBugs[] = {Bug::commit_after_response,
                                Bug::lost_on_conflict,
                                Bug::applied_twice,
                                Bug::wrong_document,
                                Bug::undead,
                                Bug::sent_twice,
                                Bug::hang,
                                Bug::held_blindly};

struct Outcome {
  std::vector<std::string> violations;
  std::string plan;
  std::uint64_t exchanges = 0;                 // requests sent
  std::uint64_t acknowledged = 0;              // answered with success
  std::map<std::string, std::uint64_t> tally;  // what happened, and how often
  std::uint64_t digest = 0;                    // the same for the same run, octet by octet
};

/// Runs a seed to its end. The same seed is the same run. One at a time in a thread; threads do not meet.
/// `tell`: prints what happens.
Outcome run_seed(std::uint64_t seed, Bug bug = Bug::none, bool tell = false);

}  // namespace stateway::sim
