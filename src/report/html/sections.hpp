// The parts of the HTML report, in the order a person reads them. Each is bounded: the rows that
// matter most, and a line that says how many are not shown.
#pragma once

#include <wirelag/report/report.hpp>

#include "writer.hpp"

namespace wirelag::report::html {

inline constexpr std::size_t kRows = 25;  ///< of a table

void style(Writer& w);

void answer(Writer& w, const Report& report);         ///< what to know and do first
void where_it_goes(Writer& w, const Report& report);  ///< stacked bars by category
void waterfalls(Writer& w, const Report& report);     ///< typical visits
void heat_maps(Writer& w, const Report& report);      ///< time x latency
/// Before and after each mark; nothing without one.
void marked_changes(Writer& w, const Report& report);
void findings(Writer& w, const Report& report);    ///< cards; capacity apart
void knees(Writer& w, const Report& report);       ///< load against response time
void not_judged(Writer& w, const Report& report);  ///< and what was fine
void dns_tables(Writer& w, const Report& report);
void channel_tables(Writer& w, const Report& report);
void database_tables(Writer& w, const Report& report);
void handshake(Writer& w, const Report& report);
void sight_section(Writer& w, const Report& report);  ///< what was captured, what was lost

}  // namespace wirelag::report::html
