// How far a frame goes: each stage does what the one before does and one thing more, so that the
// difference of two figures is the cost of that thing.
//
//   touch      reads the first cache line of every frame: the floor of everything below
//   decode     + link layer to transport header, flow hash
//   find       + a record of as many cache lines as a segment touches, looked up, prefetched and counted
//              in: the floor of tcp
//   tcp        + flow table, handshake, sequence space, streams; UDP ends after decode, no protocol
//   worker     the whole worker of a replay: DNS, HTTP, TLS ...
//   live       + summaries, of connections that go on, too: the worker of `wirelag run`
//   dataset    + transactions copied for the report, as in a replay with one worker
//   ring       by itself: the dispatcher decodes, copies into a worker's ring, whose reader takes it out
#pragma once

#include <memory>
#include <span>
#include <string>

#include <wirelag/config/config.hpp>

namespace wirelag::bench {

class Stage {
 public:
  virtual ~Stage() = default;
  virtual void process(std::span<const Frame> frames) = 0;
  /// End of input: unfinished transactions are emitted. Not all stages have any.
  virtual void finish() {}
  /// Transactions emitted so far, of all kinds.
  [[nodiscard]] virtual std::uint64_t transactions() const { return 0; }
  /// Something that depends on all that was done, so that nothing is optimised away.
  [[nodiscard]] virtual std::uint64_t check() const = 0;
};

/// Throws std::runtime_error when there is no such stage.
std::unique_ptr<Stage> make_stage(const std::string& name, const Config& config);

}  // namespace wirelag::bench
