#include "replay.hpp"

#include <filesystem>

#include <fmt/format.h>

#include "allocator.hpp"
#include "marks_file.hpp"
#include "output.hpp"
#include "replay_file.hpp"
#include "replay_net_pcap.hpp"
#include "service_names.hpp"
#include "stop.hpp"

namespace wirelag::app {
namespace {

constexpr int kInterrupted = 130;

[[nodiscard]] Result<CaptureRun> read_capture(const ReplayOptions& options, const Config& config,
                                              std::shared_ptr<const Signatures> signatures) {
  if (options.via == ReplayVia::net_pcap) {
    return replay_net_pcap(options.capture, options.workers, config, std::move(signatures));
  }
  return replay_file(options.capture, options.workers, config, std::move(signatures));
}

[[nodiscard]] Status write_json(const Report& report, const std::string& path) {
  Output output(path);
  render_json(report, [&](std::string_view piece) { output.write(piece); });
  return output.finish();
}

[[nodiscard]] Status write_report(const Report& report, const ReplayOptions& options) {
  const std::string& to = options.output;
  switch (options.format) {
    case ReportFormat::text:
      return write_output(to, render_text(report, {options.explain, options.rows}));
    case ReportFormat::json: return write_json(report, to);
    case ReportFormat::html: return write_output(to, render_html(report));
    case ReportFormat::har: return write_output(to, render_har(report));
  }
  return Done{};
}

}  // namespace

int replay(const ReplayOptions& options, const Config& config) {
  std::error_code not_there;
  if (std::filesystem::equivalent(options.capture, options.output, not_there)) {
    return fail(
        fmt::format("--output '{}' is the capture itself: choose another file", options.output));
  }
  auto signatures = Signatures::compile(config.services);
  if (!signatures) return fail(signatures.error());
  auto marks = all_marks(config);
  if (!marks) return fail(marks.error());
  catch_stop_signals();
  Result<CaptureRun> run = read_capture(options, config, signatures.value());
  if (!run) return fail(run.error());
  for (const auto& [link_type, frames] : run->capture.link_types_unsupported) {
    warn(fmt::format("{} frames of link type {} are counted only: it is not understood", frames,
                     link_type));
  }
  if (run->capture.packets == 0 && !run->capture.cut_short.empty() && !stop_requested()) {
    warn(fmt::format("no packet of '{}' could be read: {}", options.capture,
                     run->capture.cut_short));
  }

  run->capture.marks = std::move(marks.value());
  const Report report =
      build_report(std::move(run->capture), run->accounting, run->counters, std::move(run->data),
                   config.thresholds, service_names(*signatures.value()));
  if (options.explain > report.data.connections().size()) {
    return fail(fmt::format("--explain {}: the capture has {} connection(s); ids start at 1",
                            options.explain, report.data.connections().size()));
  }
  give_back_freed_memory();  // of the report's making, before its writing
  if (Status written = write_report(report, options); !written) return fail(written.error());
  return stop_requested() ? kInterrupted : 0;
}

}  // namespace wirelag::app
