// From sealed data to the one value that every renderer draws from.
#include <wirelag/report/report.hpp>

#include "made.hpp"
#include "marks.hpp"
#include "servers.hpp"
#include "waits.hpp"

namespace wirelag {

Report build_report(CaptureBlock capture, const Accounting& accounting, const Counters& counters,
                    Dataset data, const Thresholds& thresholds,
                    std::vector<std::string> service_names) {
  data.seal(thresholds.lookups, capture.last_time_ns);
  Correlation correlation = correlate(data, thresholds.lookups);
  Visits visits = find_visits(data, correlation, thresholds.visits);
  Advice advice = advise(RuleInput{data, correlation, visits, thresholds},
                         report::changes_made(capture, data, thresholds));
  Waits waits = report::waits_of(data, visits, advice);
  std::vector<ServerLoad> loads = server_loads(data, thresholds);
  std::vector<ServerUse> servers = report::servers_of(data, loads);
  std::vector<MarkedChange> changes = report::changes_at(capture, visits, data, thresholds);
  std::vector<LedgerRow> ledger = report::ledger_of(changes);
  return Report{std::move(capture),
                accounting,
                counters,
                std::move(data),
                std::move(correlation),
                std::move(visits),
                std::move(advice),
                std::move(waits),
                std::move(loads),
                std::move(servers),
                std::move(service_names),
                std::move(changes),
                std::move(ledger)};
}

}  // namespace wirelag
