// wirelag replay: a capture file in, a report out.
#pragma once

#include <cstdint>
#include <string>

#include <wirelag/config/config.hpp>

namespace wirelag::app {

enum class ReplayVia : std::uint8_t { file, net_pcap };
enum class ReportFormat : std::uint8_t { text, json, html, har };

struct ReplayOptions {
  std::string capture;
  std::string output;  ///< empty = stdout
  std::size_t workers = 1;
  std::size_t explain = 0;  ///< connection id, 0 = the slowest handshake
  std::size_t rows = 40;    ///< of a table in the text report, 0 = all
  ReplayVia via = ReplayVia::file;
  ReportFormat format = ReportFormat::text;
};

/// Exit status: 0, 1 on an error (one sentence on stderr), 130 when interrupted (the report then covers
/// the frames up to that point and says so).
int replay(const ReplayOptions& options, const Config& config);

}  // namespace wirelag::app
