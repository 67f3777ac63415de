// A lookup while it is put together: the questions of one client for one name, and what is known
// about each record type. Shared by the steps in lookup.cpp, release.cpp and search_list.cpp.
#pragma once

#include "lookup.hpp"

namespace wirelag {

/// What is known about one record type of a lookup.
struct TypeState {
  std::uint16_t qtype = 0;
  SmallIndex final_by;  ///< whose answer came at final_ns
  TimeNs last_query_ns = kUnknownNs;
  TimeNs unusable_ns = kUnknownNs;  ///< latest answer that does not end the question
  TimeNs final_ns = kUnknownNs;     ///< earliest answer that does

  [[nodiscard]] bool pending_at(TimeNs t) const { return !known(final_ns) || final_ns > t; }
  /// Whether a question at `t` can be another attempt.
  [[nodiscard]] bool retried_at(TimeNs t, const LookupLimits& limits) const {
    if (!pending_at(t)) return false;
    if (known(unusable_ns) && unusable_ns <= t && unusable_ns >= last_query_ns) {
      return t - unusable_ns <= limits.failover_ns;
    }
    return t - last_query_ns <= limits.retry_ns;
  }
};

/// A lookup while it is put together.
struct Draft {
  std::span<SmallIndex> asked;     ///< into the dataset, ascending
  std::span<TypeState> types;      ///< in order of first question
  std::span<IpAddress> addresses;  ///< of the answers
  std::uint32_t addresses_left_out = 0;
  TimeNs start_ns = kUnknownNs;
  TimeNs end_ns = kUnknownNs;
  SmallIndex released_by;
  SmallIndex merged_into;  ///< another draft: this was a step of its search list
  DnsOutcome outcome = DnsOutcome::unanswered;
};

/// All of them, and what they show.
struct Drafts {
  std::vector<Draft> all;
  ListRoom<SmallIndex> asked;
  ListRoom<TypeState> types;
  ListRoom<IpAddress> addresses;
};

/// Finds the first connection of a client to an address after an instant.
class Openings {
 public:
  explicit Openings(const Transactions<Connection>& connections);

  /// Unknown when there is none. Without hosts: of any client.
  [[nodiscard]] TimeNs first_after(const IpAddress& server, const std::vector<IpAddress>& hosts,
                                   TimeNs after);

 private:
  struct Opening {
    IpAddress server;
    IpAddress client;
    TimeNs time_ns;
    auto operator<=>(const Opening&) const = default;
  };

  static TimeNs first(const std::vector<Opening>& in, const Opening& from);
  void forget_clients();

  std::vector<Opening> by_client_;
  std::vector<Opening> by_server_;  ///< client left empty; made when it is needed
};

/// Which answer let the client go on, when, and with what outcome. `hosts` as for hosts_of().
void release(Draft& draft, const Transactions<DnsTransaction>& all,
             const std::vector<IpAddress>& hosts, Openings& openings, const LookupLimits& limits);

/// The A and AAAA records of an answer, and the hints of its HTTPS records.
[[nodiscard]] std::vector<IpAddress> addresses_in(const DnsTransaction& d);

/// Sets `merged_into` of the drafts that were steps of a search list.
void join_search_lists(std::span<Draft> drafts, const Transactions<DnsTransaction>& all,
                       const LookupLimits& limits);

}  // namespace wirelag
