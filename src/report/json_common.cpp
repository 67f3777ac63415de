#include "format.hpp"
#include "json_values.hpp"

namespace wirelag::report {

Json ns_or_null(std::int64_t ns) { return known(ns) ? Json(ns) : Json(nullptr); }

Json frame_or_null(FrameNumber frame) { return frame != 0 ? Json(frame) : Json(nullptr); }

Json span_or_null(FrameSpan span) {
  if (span.first == 0 && span.last == 0) return nullptr;
  return Json{{"first", frame_or_null(span.first)}, {"last", frame_or_null(span.last)}};
}

Json text_or_null(std::string_view wire) { return wire.empty() ? Json(nullptr) : Json(utf8(wire)); }

Json endpoint(const Endpoint& endpoint) {
  return Json{{"ip", endpoint.ip.text()}, {"port", endpoint.port}};
}

Json connection_id(std::size_t index) {
  return index == Dataset::kNone ? Json(nullptr) : Json(Dataset::connection_id(index));
}

HttpIndex::HttpIndex(const Report& report) {
  std::size_t next = 0;
  position_.reserve(report.data.http().size());
  for (const HttpTransaction& t : report.data.http()) {
    position_.push_back(t.request_seen ? next++ : Dataset::kNone);
  }
}

}  // namespace wirelag::report
