// The periodic summary log: what an interval's merged summary and the findings look like as lines.
//
//   <time> appliance name=edge-1 interval_ms=10000 received=... analysed=... connections=...
//   ... <time> service scope=service/shop connections=... connect_n=... connect_p50_us=... ...
//   <time> service scope=tcp/192.0.2.25:25 ...
//   <time> more services=37
//   <time> finding rule=http-late-connection scope=... n=1 save_ms=6.0..12.0 user_s_h=0.009 conf=C
//   ...
//
// The appliance's line first, then the services with the most transactions. A group of keys (TCP,
// HTTP, DNS, TLS) stands on a line when there was anything of that kind; counters and reasons that
// are 0 are left out. Keys are those of counters.def, accounting.hpp and summary/service.hpp.
//
// Control thread.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <wirelag/advise/finding.hpp>
#include <wirelag/serve/log_file.hpp>
#include <wirelag/serve/log_line.hpp>
#include <wirelag/summary/summary.hpp>

namespace wirelag {

struct SummaryLogOptions {
  std::string appliance;                   ///< its name
  std::vector<std::string> service_names;  ///< by ServiceId; [0] is ""
  std::size_t max_lines = 20;              ///< of services, and of findings; then one "more" line
};

/// Numbers that are not the workers': port drops, ring fill ... They end the appliance's line.
using ExtraNumbers = std::vector<std::pair<std::string, std::int64_t>>;

[[nodiscard]] std::vector<LogLine> summary_lines(const MergedSummary& interval, TimeNs now,
                                                 const SummaryLogOptions& options,
                                                 const ExtraNumbers& extra = {});
/// `findings` as ranked.
[[nodiscard]] std::vector<LogLine> finding_lines(const std::vector<Finding>& findings, TimeNs now,
                                                 const SummaryLogOptions& options);

class SummaryLog {
 public:
  /// Either may be absent. Both at once get the same lines.
  SummaryLog(std::optional<LogFile> text, std::optional<LogFile> json);

  void write(const std::vector<LogLine>& lines);
  /// On SIGHUP.
  void reopen();

 private:
  std::optional<LogFile> text_;
  std::optional<LogFile> json_;
};

}  // namespace wirelag
