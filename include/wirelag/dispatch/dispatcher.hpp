// The software dispatcher: spreads the frames of a source that cannot shard by itself (a capture
// file, a port without symmetric RSS) over one ring per worker, both directions of a flow to the
// same worker.
//
//   source -> Dispatcher::dispatch() -> SpscRing 0 -> FrameReader -> worker 0
//                                    -> SpscRing 1 -> FrameReader -> worker 1 ...
//
// The dispatcher decodes each frame to find the innermost flow. Frames that have none (ARP, damage
// ...) end here, in the dispatcher's own books; a frame passed on is counted by its worker alone.
// Fragments are put together here, because their flow is known only once they are whole: what goes
// on is the rebuilt datagram. So received = sum over the dispatcher and the workers, and what the
// workers see in sum does not depend on how many there are.
#pragma once

#include <atomic>
#include <span>
#include <vector>

#include <wirelag/base/spsc_ring.hpp>
#include <wirelag/decode/decoder.hpp>

namespace wirelag {

/// One thread. No allocation after construction.
class Dispatcher {
 public:
  /// `rings` (at least one) must outlive the dispatcher, which is their only producer.
  Dispatcher(const DecodeLimits& limits, std::span<SpscRing* const> rings, WhenFull policy);
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  /// The bytes are copied into the rings: the frames may die afterwards. WhenFull::wait gives the
  /// core to others until the workers have made room; WhenFull::drop counts NotAnalysed::ring_full.
  void dispatch(std::span<const Frame> frames);

  /// End of input: nothing is dispatched from now on, the readers finish when their ring is empty.
  void close();
  /// For the readers.
  [[nodiscard]] const std::atomic<bool>& closed() const { return closed_; }

  /// The latest frame's time, unknown before the first. After close(), any thread that has seen it.
  [[nodiscard]] TimeNs now() const { return now_; }

  /// Frames that ended here. Dispatcher's thread, or any after it has ended.
  [[nodiscard]] const Accounting& accounting() const { return accounting_; }
  /// Those of its decoder: frames passed on are not counted again by a worker.
  [[nodiscard]] const Counters& counters() const { return counters_; }
  [[nodiscard]] Counters& counters() { return counters_; }

 private:
  void dispatch(const Frame& frame);
  void pass_on(const Frame& frame, std::uint32_t flow_hash);

  std::vector<SpscRing*> rings_;
  WhenFull policy_;
  Accounting accounting_;
  Counters counters_;
  Decoder decoder_;
  TimeNs now_ = kUnknownNs;
  std::atomic<bool> closed_{false};
};

/// Copies a frame into a ring for a FrameReader at its other end. False when there is no room
/// (WhenFull::drop). A frame larger than any record goes on as if a smaller snaplen had cut it.
bool write_frame(SpscRing& ring, const Frame& frame, WhenFull policy);

/// A worker's end of its ring. One thread.
///
///   while (!reader.finished()) { n = reader.read(frames); process(first n); reader.release(); }
class FrameReader {
 public:
  FrameReader(SpscRing& ring, const std::atomic<bool>& closed) : ring_(ring), closed_(closed) {}

  /// Fills in up to `out.size()` frames without copying their bytes; they are valid until
  /// release(). 0 = none now.
  std::size_t read(std::span<Frame> out);
  /// Gives the room of all frames read so far back to the dispatcher.
  void release() { ring_.release(); }
  /// The dispatcher is closed and every frame was read and released.
  [[nodiscard]] bool finished() const;

 private:
  SpscRing& ring_;
  const std::atomic<bool>& closed_;
};

}  // namespace wirelag
