// A recording through the whole chain in this process: workers, control core, JSON report.
#pragma once

#include <nlohmann/json.hpp>

#include <wirelag/summary/summary.hpp>
#include <wirelag/worker/worker.hpp>

#include "segments.hpp"

namespace wirelag::properties {

using Json = nlohmann::json;

/// One worker: fed directly. More: the dispatcher and its rings, all in this thread.
[[nodiscard]] Json report_of(const Recording& recording, const CaptureBlock& block,
                             std::size_t workers = 1);

/// The intervals of one worker that publishes its summary `parts` times, evenly over the recording.
[[nodiscard]] std::vector<MergedSummary> summaries_of(const Recording& recording,
                                                      std::size_t parts);

}  // namespace wirelag::properties
