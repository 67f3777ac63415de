// The report: one value. Every renderer draws from it, so text, JSON and what comes later cannot
// disagree. Control thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <wirelag/advise/rule.hpp>
#include <wirelag/base/counters.hpp>
#include <wirelag/control/correlate.hpp>
#include <wirelag/control/dataset.hpp>
#include <wirelag/decode/accounting.hpp>

namespace wirelag {

/// Where the frames came from. In live mode `name` is the list of ports.
struct CaptureBlock {
  std::string name;
  std::string format;  ///< pcap | pcapng | snoop | netmon | live
  std::vector<std::string> link_types;
  std::map<std::string, std::uint64_t> link_types_unsupported;  ///< frames of each
  std::uint64_t frames_without_time = 0;  ///< they were taken to be as old as the frame before
  std::uint64_t packets = 0;
  TimeNs first_time_ns = kUnknownNs;
  TimeNs last_time_ns = kUnknownNs;
  std::string cut_short;  ///< why the file ended early, empty when it did not
  // Live only; a replay sees everything.
  double client_share = 1.0;     ///< of the clients, whose transactions were kept (sampling)
  std::uint64_t port_drops = 0;  ///< frames that the ports lost before wirelag could read them
  std::uint64_t transactions_dropped = 0;  ///< older than report.max_transactions allows
};

struct Report {
  CaptureBlock capture;
  Accounting accounting;
  Counters counters;
  Dataset data;  ///< sealed
  Correlation correlation;
  Visits visits;
  Advice advice;
  std::vector<std::string> service_names;  ///< by ServiceId; [0] is ""
};

/// Correlates, judges and assembles. `data` is sealed here.
[[nodiscard]] Report build_report(CaptureBlock capture, const Accounting& accounting,
                                  const Counters& counters, Dataset data,
                                  const Thresholds& thresholds,
                                  std::vector<std::string> service_names);

struct TextOptions {
  std::size_t explain_connection = 0;  ///< connection id; 0 = the slowest handshake
  std::size_t max_rows = 40;           ///< per table; 0 = all
};

/// For a person in a terminal: at most 100 columns, ASCII, the four answers in order.
[[nodiscard]] std::string render_text(const Report& report, const TextOptions& options);

/// One JSON object, schema wirelag.report/1 (docs/report-json.md), ends with a newline.
[[nodiscard]] std::string render_json(const Report& report);

}  // namespace wirelag
