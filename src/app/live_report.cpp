#include "live_report.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <unistd.h>
#include <unordered_set>

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
  copy(ended_.dns());
  copy(ended_.http());
  copy(ended_.tls());
  copy(ended_.database());
  copy(ended_.connections());
  // A connection that ended while the snapshot was taken is in both.
  std::unordered_set<ConnectionKey> copied;
  for (const Connection& c : ended_.connections()) copied.insert(c.key);
  for (const Connection& c : open_.connections()) {
    if (copied.insert(c.key).second) view.emit(&c);
  }
  open_ = Dataset(limits_);
  return view;
}

Status check_report_directory(const Config& config) {
  if (!config.report.text && !config.report.json && !config.report.html) return Done{};
  const std::string& directory = config.report.directory;
  errno = ENOTDIR;
  std::error_code none;
  if (access(directory.c_str(), W_OK | X_OK) == 0 && std::filesystem::is_directory(directory, none))
    return Done{};
  return Error{fmt::format("cannot write reports to '{}' (report.directory): {}", directory,
                           std::strerror(errno))};
}

Result<std::string> write_live_report(const Report& report, const Config& config, TimeNs now) {
  const std::string stem =
      fmt::format("{}/wirelag-{}-{:%Y%m%dT%H%M%SZ}", config.report.directory, config.appliance.name,
                  fmt::gmtime(static_cast<std::time_t>(now / kSecondNs)));
  std::string names;
  const auto begin = [&](const char* suffix) {
    if (!names.empty()) names += ", ";
    names += stem + suffix;
    return stem + suffix;
  };
  if (config.report.text) {
    if (Status s = write_output(begin(".txt"), render_text(report, {})); !s) return s.take_error();
  }
  if (config.report.json) {
    Output output(begin(".json"));
    render_json(report, [&](std::string_view piece) { output.write(piece); });
    if (Status s = output.finish(); !s) return s.take_error();
  }
  if (config.report.html) {
    if (Status s = write_output(begin(".html"), render_html(report)); !s) return s.take_error();
  }
  return names;
}

}  // namespace wirelag::app
