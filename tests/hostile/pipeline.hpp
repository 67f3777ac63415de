// Everything behind the capture reader in one process: workers (and the dispatcher before them),
// data set, report, renderers; and what must hold of their results for any frames at all.
//
//   frames -> worker ------------------------> Dataset -> Report -> JSON, text
//   frames -> dispatcher -> ring -> worker i ->    ^
//
// Used by the fuzz targets and by the tests of damaged captures. One thread: the dispatcher's rings
// are emptied after every frame.
#pragma once

#include <span>
#include <string>

#include <wirelag/report/report.hpp>
#include <wirelag/worker/worker.hpp>

namespace wirelag::hostile {

/// So small that a few frames reach every limit.
[[nodiscard]] WorkerLimits tiny_limits();
/// So large that a few hundred frames reach none, and still quick to construct.
[[nodiscard]] WorkerLimits roomy_limits();

struct RunOptions {
  std::size_t workers = 1;     ///< 2 or 3: through a dispatcher
  std::size_t burst = 32;      ///< frames per process()
  std::size_t tick_every = 0;  ///< bursts between two tick(); 0 = never
  bool replay = false;         ///< tick() as a replay does, trailing; else by the latest frame
};

struct Outcome {
  Accounting accounting;
  Counters counters;
  Dataset data;
};

[[nodiscard]] Outcome run(std::span<const Frame> frames, const WorkerLimits& limits,
                          const RunOptions& options = {});

/// Durations, frames and counts of one exchange.
void check(const DatabaseTransaction& exchange);
/// Books, durations and the agreement of counters with transactions.
void check(const Outcome& outcome, std::size_t frames);
/// Whether something was given up for want of room: results may then depend on the workers' number.
[[nodiscard]] bool any_limit_reached(const Outcome& outcome);

/// Builds the report and renders it both ways; the JSON.
[[nodiscard]] std::string report_of(Outcome outcome);

/// A live worker with tiny tables: ticks, snapshots, published summaries that add up.
void check_live(std::span<const Frame> frames);

/// All of it: one worker with tiny tables, live, and one worker against several with other hashes.
void check_everything(std::span<const Frame> frames);

}  // namespace wirelag::hostile
