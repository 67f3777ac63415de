// Replay through the file reader: nanoseconds, every link type, frame numbers; no EAL, no root.
#pragma once

#include <wirelag/base/result.hpp>
#include <wirelag/config/config.hpp>

#include "capture_run.hpp"

namespace wirelag::app {

/// One worker: reader, worker and control core are one thread. More: a reader and dispatcher thread, a
/// thread per worker, and the caller's thread as control core.
[[nodiscard]] Result<CaptureRun> replay_file(const std::string& path, std::size_t workers,
                                             const Config& config,
                                             std::shared_ptr<const Signatures> signatures);

}  // namespace wirelag::app
