// net_pcap gives the bytes and the times; a CaptureFile that is read in step gives what the driver
// loses: link type, length on the wire, position, and whether the end of the file was its real end.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include <wirelag/ingest/dpdk/dpdk_capture.hpp>

namespace wirelag {
namespace {

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

/// The unit of the driver's time stamps, which depends on its version. 0 = this frame cannot tell.
std::int64_t tick_of(std::int64_t stamp, TimeNs capture_time_ns) {
  if (stamp == 0) return 0;
  const auto as_micro = static_cast<double>(stamp) * kMicrosecondNs;
  return as_micro < 1.5 * static_cast<double>(capture_time_ns) ? kMicrosecondNs : 1;
}

/// Whether the driver is still at the frame that the guide is at. It keeps lengths in 16 bits.
bool same_frame(const Frame& frame, const Frame& known) {
  return frame.bytes.size() == known.bytes.size() || known.bytes.size() > UINT16_MAX;
}

}  // namespace

struct DpdkCapture::State {
  CaptureFile guide;
  FileDescriptor file;  ///< the driver opens it by number: its arguments cannot hold every path
  Port port;
  std::int64_t tick_ns = 0;  ///< 0 = not known yet
  FrameNumber frames = 0;
  bool ended = false;
  bool astray = false;  ///< the driver gave another frame than the guide
  std::string cut_short;

  std::size_t complete(std::span<Frame> burst);
  void finish();
};

/// Adds to the driver's frames what the guide knows of them. Returns for how many it knew
/// something: what the driver's libpcap cannot read it may skip, misread or end at.
std::size_t DpdkCapture::State::complete(std::span<Frame> burst) {
  std::array<Frame, Port::kBurst> known;
  std::size_t done = 0;
  while (done < burst.size()) {
    const std::size_t n = guide.read(std::span(known).first(burst.size() - done));
    if (n == 0) break;
    for (std::size_t i = 0; i < n; ++i, ++done) {
      Frame& frame = burst[done];
      astray = astray || !same_frame(frame, known[i]);
      if (astray) return done;
      frame.wire_length = std::max(frame.wire_length, known[i].wire_length);
      frame.link = known[i].link;
      if (tick_ns == 0) tick_ns = tick_of(frame.time_ns, known[i].time_ns);
      frame.time_ns *= tick_ns;
      frame.number = frames = known[i].number;
    }
  }
  return done;
}

/// The driver says that the file has ended: has it?
void DpdkCapture::State::finish() {
  ended = true;
  std::array<Frame, Port::kBurst> rest;
  while (guide.read(rest) > 0) astray = true;
  cut_short =
      astray ? fmt::format("net_pcap does not read on after frame {}", frames) : guide.cut_short();
}

Result<DpdkCapture> DpdkCapture::open(const std::string& path) {
  Result<CaptureFile> guide = CaptureFile::open(path);
  if (!guide) return guide.take_error();
  if (const std::string& packed_by = guide->info().packed_by; !packed_by.empty()) {
    return Error{
        fmt::format("'{}' is compressed with {}, which net_pcap does not read: unpack it first, or "
                    "replay it without --via",
                    path, packed_by)};
  }

  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    return Error{fmt::format("capture file '{}' cannot be read: {}", path, std::strerror(errno))};
  }
  PortOptions options;
  options.device = fmt::format("net_pcap{0},rx_pcap=/proc/self/fd/{0}", file.get());
  options.raw_stamps = true;
  Result<Port> port = Port::open(options);
  if (!port) {
    return Error{fmt::format("'{}' cannot be replayed through net_pcap: {}", path, port.error())};
  }
  return DpdkCapture(std::unique_ptr<State>(
      new State{std::move(*guide), std::move(file), std::move(*port), 0, 0, false, false, {}}));
}

DpdkCapture::DpdkCapture(std::unique_ptr<State> state) : state_(std::move(state)) {}
DpdkCapture::DpdkCapture(DpdkCapture&&) noexcept = default;
DpdkCapture& DpdkCapture::operator=(DpdkCapture&&) noexcept = default;
DpdkCapture::~DpdkCapture() = default;

const CaptureInfo& DpdkCapture::info() const { return state_->guide.info(); }
const PortInfo& DpdkCapture::port() const { return state_->port.info(); }

std::size_t DpdkCapture::read(std::span<Frame> out) {
  if (state_->ended) return 0;
  const std::size_t received = state_->port.receive(0, out);
  const std::size_t n = state_->complete(out.first(received));
  if (n == 0 || n < received) state_->finish();
  return n;
}

const std::string& DpdkCapture::cut_short() const { return state_->cut_short; }
std::uint64_t DpdkCapture::position_bytes() const { return state_->guide.position_bytes(); }

}  // namespace wirelag
