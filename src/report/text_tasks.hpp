// The tasks of part 2 of the text report. `tasks` are indexes into the dataset's list of the kind.
#pragma once

#include <span>
#include <string>

#include <wirelag/report/report.hpp>

namespace wirelag::report {

inline constexpr std::size_t kBlockLabel = 9;  ///< column of the text in a connection's block

void text_task_legend(std::string& out, const Report& report);
void text_http_tasks(std::string& out, const Report& report, std::span<const SmallIndex> tasks,
                     std::size_t max_rows);
void text_dns_tasks(std::string& out, const Report& report, std::span<const SmallIndex> tasks,
                    std::size_t max_rows);
void text_tls_task(std::string& out, const TlsHandshake& handshake);
/// Of all connections: requests without a response, then the slowest.
void text_slowest_tasks(std::string& out, const Report& report, std::size_t max_rows);

}  // namespace wirelag::report
