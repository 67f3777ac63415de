// What holds for every capture, whatever is in it.
#pragma once

#include <span>

#include "compare.hpp"

namespace wirelag::properties {

/// A capture and what is known about it before the properties are looked at.
struct Subject {
  std::string path;
  CaptureBlock block;
  Recording recording;
  Json report;
  std::optional<Segments> flat;  ///< of the recording; none when it cannot be flattened
  Json flat_report;              ///< of frames_of(*flat)
};

struct Property {
  std::string_view name;
  std::string_view says;
  bool needs_flat;
  void (*check)(const Subject&, Problems&);
};

/// Of a report by itself, and of the way it is made.
[[nodiscard]] std::span<const Property> identities();
/// Of a report and that of the capture rewritten.
[[nodiscard]] std::span<const Property> invariances();

}  // namespace wirelag::properties
