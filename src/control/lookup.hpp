// The first half of correlate(): DNS transactions to lookups. Control thread; pure functions.
#pragma once

#include <wirelag/control/correlate.hpp>

namespace wirelag {

/// All lookups, in order of their first transaction, and what they show.
void find_lookups(const Dataset& data, Correlation& correlation, const LookupLimits& limits);

/// For each DNS transaction the one a stub resolver sent it on behalf of, Dataset::kNone for those
/// a client asked itself. A parent always comes before its child. `patience_ns`:
/// LookupLimits::stub_patience_ns.
[[nodiscard]] std::vector<std::size_t> find_stub_parents(
    const Transactions<DnsTransaction>& transactions, DurationNs patience_ns);

/// The addresses from which the user of a lookup opens connections: the client's, and that of a
/// stub on its host. Empty when only loopback addresses were seen: then the host is the capture
/// host, and any client may be meant.
[[nodiscard]] std::vector<IpAddress> hosts_of(const Lookup& lookup,
                                              const Transactions<DnsTransaction>& transactions);

/// An outcome that ends a question: the client has its answer, or knows that there is none.
[[nodiscard]] inline bool is_final(DnsOutcome o) {
  return o == DnsOutcome::answered || o == DnsOutcome::nodata || o == DnsOutcome::nxdomain;
}

}  // namespace wirelag
