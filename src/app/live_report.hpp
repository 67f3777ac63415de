// What the control core keeps of a live link for the full report: the latest transactions that have
// ended, and, for the moment of a report, the connections that are still open.
#pragma once

#include <wirelag/base/result.hpp>
#include <wirelag/config/config.hpp>
#include <wirelag/control/dataset.hpp>
#include <wirelag/report/report.hpp>

namespace wirelag::app {

class LiveDataset : public TransactionSink {
 public:
  explicit LiveDataset(std::size_t max_per_kind)
      : limits_{max_per_kind}, ended_(limits_), open_(limits_) {}

  /// A snapshot's connections come with ConnectionEnd::capture_end; after the stop that end is real.
  void emit(TransactionRef transaction) override;
  /// From now on everything that comes has ended.
  void stopping() { stopping_ = true; }
  /// Transactions that had to go because there were more than max_per_kind.
  [[nodiscard]] std::uint64_t dropped() const { return ended_.dropped(); }
  /// Everything known now, in a dataset of its own; the open connections are forgotten.
  [[nodiscard]] Dataset take_view();

 private:
  DatasetLimits limits_;
  Dataset ended_;
  Dataset open_;  ///< connections of the last snapshot
  bool stopping_ = false;
};

/// Whether reports can be written later: asked at the start, when somebody is looking.
[[nodiscard]] Status check_report_directory(const Config& config);
/// Writes <directory>/wirelag-<appliance>-<UTC time>.txt, .json and .html as configured. Returns their
/// names, comma-separated.
[[nodiscard]] Result<std::string> write_live_report(const Report& report, const Config& config,
                                                    TimeNs now);

}  // namespace wirelag::app
