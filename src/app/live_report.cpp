#include "live_report.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "output.hpp"

namespace wirelag::app {

void LiveDataset::emit(TransactionRef transaction) {
  const auto* connection = std::get_if<const Connection*>(&transaction);
  const bool still_open =
      !stopping_ && connection != nullptr && (*connection)->end == ConnectionEnd::capture_end;
  (still_open ? open_ : ended_).emit(transaction);
}

Dataset LiveDataset::take_view() {
  Dataset view(limits_);
  const auto copy = [&view](const auto& transactions) {
    for (const auto& t : transactions) view.emit(&t);
  };
  for (const Dataset* part : {&ended_, &open_}) {
    copy(part->connections());
    copy(part->dns());
    copy(part->http());
    copy(part->tls());
  }
  open_ = Dataset(limits_);
  return view;
}

Result<std::string> write_live_report(const Report& report, const Config& config, TimeNs now) {
  const std::string stem = fmt::format("{}/wirelag-{}-{:%Y%m%dT%H%M%SZ}", config.report.directory,
                                       config.appliance.name,
                                       fmt::gmtime(static_cast<std::time_t>(now / kSecondNs)));
  std::string names;
  const auto write = [&](const char* suffix, const std::string& text) -> Status {
    if (!names.empty()) names += ", ";
    names += stem + suffix;
    return write_output(stem + suffix, text);
  };
  if (config.report.text) {
    if (Status s = write(".txt", render_text(report, {})); !s) return s.take_error();
  }
  if (config.report.json) {
    if (Status s = write(".json", render_json(report)); !s) return s.take_error();
  }
  return names;
}

}  // namespace wirelag::app
