#include "unpacked_source.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace wirelag::ingest {

std::size_t UnpackedSource::read_at(std::uint64_t position, std::span<std::uint8_t> out) {
  return go_to(position, out) ? next(out) : 0;
}

/// False when the data ends before `position`.
bool UnpackedSource::go_to(std::uint64_t position, std::span<std::uint8_t> scratch) {
  if (position < position_) {
    if (++restarts_ > kMostRestarts) {
      fail("would be unpacked again and again, as frames do not lie in order: unpack it first");
      return false;
    }
    restart();
  }
  while (position_ < position) {
    const std::uint64_t left = position - position_;
    if (next(scratch.first(std::min<std::uint64_t>(left, scratch.size()))) == 0) return false;
  }
  return true;
}

/// 0 at the end.
std::size_t UnpackedSource::next(std::span<std::uint8_t> out) {
  while (error_.empty()) {
    const Unpacker::Step step = unpacker_->unpack(in_, out);
    in_ = in_.subspan(step.taken);
    position_ += step.given;
    if (!unpacker_->trouble().empty()) fail(unpacker_->trouble());
    if (step.given > 0) return step.given;
    if (step.taken > 0 || !error_.empty() || refill()) continue;
    if (error_.empty() && !unpacker_->ends_cleanly()) fail("is cut off");
    break;
  }
  return 0;
}

bool UnpackedSource::refill() {
  const std::size_t n = packed_->read_at(read_bytes_, buffer_);
  if (n == 0) error_ = packed_->error();
  in_ = Bytes(buffer_).first(n);
  read_bytes_ += n;
  return n > 0;
}

void UnpackedSource::restart() {
  unpacker_->restart();
  error_.clear();
  in_ = {};
  read_bytes_ = position_ = 0;
}

void UnpackedSource::fail(std::string_view what) {
  error_ = fmt::format("at byte {} its {} data {}", packed_position(), format(), what);
}

}  // namespace wirelag::ingest
